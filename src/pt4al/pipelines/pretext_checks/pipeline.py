"""Wiring of the checks of stage `pretext`."""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.graph import Shape
from pt4al.pipelines.pretext_checks import nodes


def create_pipeline(shape: Shape) -> Pipeline:
    images = "task_features" if shape.views else "pool"
    inputs = [
        "pool",
        images,
        "pretext_network",
        "pretext_curve",
        "pretext_loss",
        "params:pretext",
        "params:engine",
    ]
    return Pipeline(
        [
            Node(
                nodes.check_pretext,
                [*inputs, "params:run"],
                ["pretext_checks", "pretext_settings"],
                name="check_pretext",
                tags="grows",
            )
        ],
        tags="pretext",
    )
