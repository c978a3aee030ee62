"""Wiring of stage `pool`.

Nodes tagged `grows` run again when the source has other pictures than before.
"""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.options import GraphOptions
from pt4al.pipelines.pool import nodes
from pt4al.pipelines.settings import settings_node


def create_pipeline(options: GraphOptions, with_features: bool = False) -> Pipeline:
    """Return the stage; with features, where the stage of that name is run in the same command."""
    settings = "params:pool"
    task = "params:main"
    engine = "params:engine"
    build = Node(nodes.build_pool, [settings, engine], "pool", name="build_pool")
    if with_features and not options.own_trunk:
        inputs = [
            settings,
            "features_network",
            "params:features",
            engine,
            "features_place",
        ]
        build = Node(nodes.build_pool_and_features, inputs, "pool", name="build_pool")
    return Pipeline(
        [
            build,
            Node(
                nodes.build_test_pool,
                ["pool", settings, engine],
                "test_pool",
                name="build_test_pool",
                tags="grows",
            ),
            Node(
                nodes.label_pool,
                ["pool", settings, task],
                ["recorded_labels", "classes"],
                name="label_pool",
                tags="grows",
            ),
            Node(
                nodes.label_test_pool,
                ["test_pool", settings, task],
                "test_labels",
                name="label_test",
                tags="grows",
            ),
            Node(
                nodes.inspect,
                ["pool", "test_pool"],
                ["problems", "duplicates"],
                name="inspect",
                tags="grows",
            ),
            Node(
                nodes.report_intake,
                [
                    "pool",
                    "test_pool",
                    "recorded_labels",
                    "test_labels",
                    "problems",
                    "duplicates",
                    settings,
                ],
                ["intake", "source_summary"],
                name="report_intake",
                tags="grows",
            ),
            *_start(options),
        ],
        tags="pool",
    )


def _start(options: GraphOptions) -> list[Node]:
    if not options.people:
        return [Node(nodes.start, "intake", "start_label_set", name="start")]
    named = Node(
        nodes.name_classes, ["classes", "params:oracle"], "run_classes", name="name_classes"
    )
    if options.knows_pool:
        # Nodes of their own: what a run starts from stays, whatever others label meanwhile.
        data = {"pool": "pool", "classes": "run_classes", "runs": "runs"}
        blocks = ("run", "pool", "main")
        return [
            named,
            settings_node(nodes.gather_known, data, blocks, "known_labels", "gather_known"),
            Node(
                nodes.start_from_known, ["intake", "known_labels"], "start_label_set", name="start"
            ),
        ]
    inputs = ["intake", "pool", "run_classes", "params:oracle"]
    return [named, Node(nodes.start_people, inputs, "start_label_set", name="start")]
