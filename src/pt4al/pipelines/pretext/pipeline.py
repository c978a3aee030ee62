"""Wiring of stage `pretext`."""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.graph import Shape
from pt4al.pipelines.pretext import nodes


def create_pipeline(shape: Shape) -> Pipeline:
    """Return what trains the task and takes its losses, on images or on features of their views."""
    images = "task_features" if shape.views else "pool"
    settings = ["params:pretext", "params:engine", "params:run"]
    return Pipeline(
        [
            Node(
                nodes.train,
                [images, *settings],
                ["pretext_network", "pretext_curve"],
                name="train_pretext",
            ),
            Node(
                nodes.score,
                ["pool", images, "pretext_network", "known_pretext_loss", *settings],
                "pretext_loss",
                name="score_pretext",
                tags="grows",
            ),
        ],
        tags="pretext",
    )
