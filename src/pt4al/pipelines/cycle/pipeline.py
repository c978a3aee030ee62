"""Wiring of the cycles: one namespace each, chained by label set and network."""

from collections.abc import Callable
from functools import partial, update_wrapper

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.cycle import nodes
from pt4al.pipelines.graph import Shape
from pt4al.pipelines.long_pipeline import Graph

SHARED = {
    "pool",
    "features",
    "ranking",
    "recorded_labels",
    "answer_log",
    "control_slices",
    "classes",
    "test_labels",
    "test_features",
}
ASKING = (
    "query",
    "cycles",
    "oracle",
    "control",
    "main",
    "engine",
    "run",
)  # blocks that a query depends on
PARAMETERS = {f"params:{block}" for block in ASKING}


def create_pipeline(shape: Shape) -> Pipeline:
    """Return the cycles, and what is drawn for all of them; of people's, the last is but a query."""
    nodes = [_draw_slices().tag("cycles")] if shape.control else []
    for cycle in range(shape.cycles + shape.waits):
        nodes += create_cycle(cycle, shape).nodes
    return Graph(nodes)


def create_cycle(cycle: int, shape: Shape) -> Pipeline:
    """Return one cycle, in namespace `cycle_<number>`. Cycle 0 has no model to ask, so nothing to audit."""
    first = cycle == 0
    wired = _query(cycle, shape) + ([_explain()] if shape.reasons else [])
    if cycle < shape.cycles:
        wired += [*_label_and_train(cycle, shape), *([] if first else [_audit(), _map()])]
    previous = {
        "previous_label_set": "start_label_set" if first else f"cycle_{cycle - 1}.label_set",
        # Only `start_from: previous_cycle` reads it, and cycle 0 has none before it.
        "previous_network": "pretext_network" if first else f"cycle_{cycle - 1}.network",
        "previous_audit": f"cycle_{cycle - 1}.audit",
        "previous_asked": f"cycle_{cycle - 1}.asked",
        "classes": class_names(shape),
        **_read_by_main(shape),
    }
    one = Pipeline(wired, tags="cycles")
    used = one.inputs()
    return Pipeline(
        one,
        namespace=f"cycle_{cycle}",
        inputs={name: previous.get(name, name) for name in (SHARED | previous.keys()) & used},
        parameters=PARAMETERS & used,
        prefix_datasets_with_namespace=True,
    )


def _read_by_main(shape: Shape) -> dict[str, str]:
    """What the main model is trained on, tested on, and starts from."""
    return {
        "images": "features" if shape.probes else "pool",
        "test_images": "test_features" if shape.probes else "test_pool",
        "trunk": "features_network" if shape.tunes else "pretext_network",
    }


def class_names(shape: Shape) -> str:
    """Return the dataset of the classes' names: people may add some to those of the source."""
    return "run_classes" if shape.people else "classes"


def _draw_slices() -> Node:
    settings = [f"params:{block}" for block in ("cycles", "control", "run")]
    return Node(
        nodes.draw_slices,
        ["ranking", "start_label_set", *settings],
        "control_slices",
        name="draw_slices",
    )


def _query(cycle: int, shape: Shape) -> list[Node]:
    same = ("pool", "features", "ranking", "classes")
    inputs = {name: name for name in same} | {"label_set": "previous_label_set"}
    inputs |= {block: f"params:{block}" for block in ASKING}
    if shape.control:
        inputs["slices"] = "control_slices"
    if cycle == 0:
        return [Node(_bind(nodes.start_query, cycle), inputs, "query", name="choose_query")]
    inputs["network"] = "previous_network"
    inputs["images"] = "images"
    if cycle > 1:  # the first audit is that of cycle 1's answers
        inputs["audit"] = "previous_audit"
    if not shape.people:
        return [Node(_bind(nodes.next_query, cycle), inputs, "query", name="choose_query")]
    inputs["asked"] = "previous_asked"
    shown = ["images", "query", "previous_network", "classes", "params:main", "params:engine"]
    return [
        Node(_bind(nodes.next_query, cycle), inputs, "query", name="choose_query"),
        Node(nodes.suggest, shown, "suggestions", name="suggest"),
    ]


def _explain() -> Node:
    inputs = ["features", "ranking", "query", "previous_label_set"]
    return Node(nodes.explain, inputs, "reasons", name="explain_query")


def _label_and_train(cycle: int, shape: Shape) -> list[Node]:
    ask = Node(
        nodes.ask, ["query", "recorded_labels", "params:oracle"], "answers", name="ask_oracle"
    )
    if shape.people:
        read = [
            "query",
            "previous_label_set",
            "answer_log",
            "params:oracle",
            *(["previous_asked"] if cycle else []),
        ]
        ask = Node(_bind(nodes.ask_people, cycle), read, ["answers", "asked"], name="ask_oracle")
    train = [
        "images",
        "label_set",
        "classes",
        "previous_network",
        "trunk",
        "params:query",
        "params:control",
    ]
    settings = ["params:main", "params:engine"]
    return [
        ask,
        Node(
            _bind(nodes.extend, cycle),
            ["previous_label_set", "answers", "classes", "params:query"],
            "label_set",
            name="extend_label_set",
        ),
        Node(
            _bind(nodes.train, cycle),
            [*train, *settings, "params:run"],
            ["network", "training_curve"],
            name="train_main",
        ),
        *_evaluate(cycle, shape, settings),
    ]


def _evaluate(cycle: int, shape: Shape, settings: list[str]) -> list[Node]:
    measured = []
    if shape.tested:
        evaluate = ["network", "test_images", "test_labels", "classes", "label_set", *settings]
        measured.append(Node(nodes.evaluate, evaluate, "metrics", name="evaluate"))
    if shape.compares:
        probed = [
            "features",
            "test_features",
            "test_labels",
            "label_set",
            "classes",
            "params:control",
            *settings,
        ]
        measured.append(
            Node(_bind(nodes.evaluate_probe, cycle), probed, "probe_metrics", name="evaluate_probe")
        )
    if shape.control:
        drawn = [
            "network",
            "images",
            "label_set",
            "classes",
            "params:control",
            *settings,
            "params:run",
        ]
        measured.append(
            Node(_bind(nodes.evaluate_control, cycle), drawn, "control", name="evaluate_control")
        )
    if not shape.tested:
        measured.append(Node(nodes.take_control, "control", "metrics", name="take_control"))
    return measured


def _audit() -> Node:
    inputs = [
        "images",
        "answers",
        "previous_network",
        "ranking",
        "classes",
        "params:main",
        "params:engine",
    ]
    return Node(nodes.audit, inputs, "audit", name="audit_pretext")


def _map() -> Node:
    inputs = ["images", "query", "previous_network", "params:query", "params:main", "params:engine"]
    return Node(nodes.map_query, inputs, "maps", name="map_query")


def _bind(function: Callable, cycle: int) -> Callable:
    # A bare partial has no type hints, by which Kedro checks parameters.
    return update_wrapper(partial(function, cycle=cycle), function)
