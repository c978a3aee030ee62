"""Wiring of stage `ranking`."""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.ranking import nodes


def create_pipeline() -> Pipeline:
    """Return what ranks the pool."""
    inputs = ["pretext_loss", "params:ranking", "params:cycles", "params:run"]
    return Pipeline(
        [Node(nodes.rank_pool, inputs, "ranking", name="rank_pool", tags="grows")], tags="ranking"
    )
