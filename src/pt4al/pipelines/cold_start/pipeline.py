"""Wiring of pipeline `cold_start`.

What chooses is given no labels; what measures hands nothing back to it.
"""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.cold_start import nodes


def create_pipeline() -> Pipeline:
    """Return what chooses first queries, measures them and reports."""
    settings = [f"params:{block}" for block in ("cold_start", "query", "main", "engine")]
    test = ["test_features", "test_labels"]
    return Pipeline(
        [
            Node(
                nodes.choose,
                ["features", "ranking", "classes", *settings],
                "start_queries",
                name="choose_starts",
                tags=["cold_start", "always"],
            ),
            Node(
                nodes.measure,
                ["start_queries", "recorded_labels", "features", *test, "classes", "params:engine"],
                "cold_start",
                name="measure_starts",
                tags=["report", "always"],
            ),
            Node(
                nodes.report,
                ["cold_start", "params:run"],
                ["cold_start_summary", "cold_start_page"],
                name="report_starts",
                tags=["report", "always"],
            ),
        ]
    )
