"""Wiring of the cycles: one namespace each, chained by label set and network."""

from collections.abc import Callable
from functools import partial, update_wrapper

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.cycle import nodes

SHARED = {"pool", "ranking", "recorded_labels", "classes", "pretext_network", "test_pool", "test_labels"}
PARAMETERS = {f"params:{block}" for block in ("query", "cycles", "oracle", "main", "engine", "run")}


def create_pipeline(cycles: int) -> Pipeline:
    """Return the cycles 0 to `cycles` - 1."""
    return sum((create_cycle(cycle) for cycle in range(cycles)), Pipeline([]))


def create_cycle(cycle: int) -> Pipeline:
    """Return one cycle, in namespace `cycle_<number>`. Cycle 0 has no model to ask, so nothing to audit."""
    first = cycle == 0
    wired = [_query(cycle), *_label_and_train(cycle), *([] if first else [_audit(), _map()])]
    previous = {
        "previous_label_set": "start_label_set" if first else f"cycle_{cycle - 1}.label_set",
        # Only `start_from: previous_cycle` reads it, and cycle 0 has none before it.
        "previous_network": "pretext_network" if first else f"cycle_{cycle - 1}.network",
        "previous_audit": f"cycle_{cycle - 1}.audit",
    }
    one = Pipeline(wired, tags="cycles")
    used = one.inputs()
    return Pipeline(
        one,
        namespace=f"cycle_{cycle}",
        inputs={name: name for name in SHARED & used} | {name: previous[name] for name in previous.keys() & used},
        parameters=PARAMETERS & used,
        prefix_datasets_with_namespace=True,
    )


def _query(cycle: int) -> Node:
    known = ["pool", "ranking", "previous_label_set"]
    settings = [f"params:{block}" for block in ("query", "cycles", "main", "engine", "run")]
    if cycle == 0:
        inputs = [*known, "pretext_network", "classes", *settings]
        return Node(_bind(nodes.start_query, cycle), inputs, "query", name="choose_query")
    inputs = [*known, "previous_network", "pretext_network", "classes", *settings]
    if cycle > 1:  # the first audit is that of cycle 1's answers
        inputs.append("previous_audit")
    return Node(_bind(nodes.next_query, cycle), inputs, "query", name="choose_query")


def _label_and_train(cycle: int) -> list[Node]:
    train = ["pool", "label_set", "classes", "previous_network", "pretext_network"]
    evaluate = ["network", "test_pool", "test_labels", "classes", "label_set"]
    return [
        Node(nodes.ask, ["query", "recorded_labels", "params:oracle"], "answers", name="ask_oracle"),
        Node(
            _bind(nodes.extend, cycle),
            ["previous_label_set", "answers", "classes", "params:query"],
            "label_set",
            name="extend_label_set",
        ),
        Node(
            _bind(nodes.train, cycle),
            [*train, "params:query", "params:main", "params:engine", "params:run"],
            ["network", "training_curve"],
            name="train_main",
        ),
        Node(nodes.evaluate, [*evaluate, "params:main", "params:engine"], "metrics", name="evaluate"),
    ]


def _audit() -> Node:
    inputs = ["pool", "answers", "previous_network", "ranking", "classes", "params:main", "params:engine"]
    return Node(nodes.audit, inputs, "audit", name="audit_pretext")


def _map() -> Node:
    inputs = ["pool", "query", "previous_network", "params:query", "params:main", "params:engine"]
    return Node(nodes.map_query, inputs, "maps", name="map_query")


def _bind(function: Callable, cycle: int) -> Callable:
    # A bare partial has no type hints, by which Kedro checks parameters.
    return update_wrapper(partial(function, cycle=cycle), function)
