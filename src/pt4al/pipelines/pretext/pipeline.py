"""Wiring of stage `pretext`."""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.pretext import nodes


def create_pipeline() -> Pipeline:
    return Pipeline(
        [
            Node(
                nodes.train,
                ["pool", "params:pretext", "params:engine", "params:run"],
                ["pretext_network", "pretext_curve"],
                name="train_pretext",
            ),
            Node(
                nodes.score,
                ["pool", "pretext_network", "known_pretext_loss", "params:pretext", "params:engine", "params:run"],
                "pretext_loss",
                name="score_pretext",
                tags="grows",
            ),
        ],
        tags="pretext",
    )
