"""Pipelines: Kedro nodes of a few lines that call the core, and the wiring."""
