"""Wiring of stage `pool`."""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.pool import nodes


def create_pipeline() -> Pipeline:
    return Pipeline(
        [
            Node(nodes.build_pool, "params:pool", ["pool", "recorded_labels", "classes"], name="build_pool"),
            Node(nodes.build_test_pool, "params:pool", ["test_pool", "test_labels"], name="build_test_pool"),
            Node(nodes.start, None, "start_label_set", name="start"),
        ],
        tags="pool",
    )
