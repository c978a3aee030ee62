"""Wiring of stage `ranking`."""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.ranking import nodes


def create_pipeline() -> Pipeline:
    """Return what ranks the pool."""
    blocks = ["ranking", "cycles", "engine", "run"]
    inputs = ["pretext_loss", *(f"params:{block}" for block in blocks)]
    return Pipeline(
        [Node(nodes.rank_pool, inputs, "ranking", name="rank_pool", tags="grows")], tags="ranking"
    )
