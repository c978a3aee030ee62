"""CVAT: push a query, pull answers."""
