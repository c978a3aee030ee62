"""Kedro's registry of pipelines."""

from kedro.pipeline import Pipeline

from pt4al.pipelines.graph import build
from pt4al.pipelines.options import GraphOptions


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines of the default configuration; a session puts those of its settings."""
    return build(GraphOptions())
