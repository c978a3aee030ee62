"""Label Studio: push a query, pull answers."""
