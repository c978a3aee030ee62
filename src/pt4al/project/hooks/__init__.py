"""Kedro's hooks."""
