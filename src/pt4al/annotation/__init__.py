"""Annotation: how people answer a query, and what becomes of their answers."""
