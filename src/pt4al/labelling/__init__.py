"""Labelling: who answers a query, and the set that the answers grow."""
