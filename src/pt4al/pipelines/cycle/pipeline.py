"""Wiring of the cycles: one namespace each, chained by label set and network."""

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.cycle import nodes
from pt4al.pipelines.long_pipeline import Graph
from pt4al.pipelines.options import GraphOptions
from pt4al.pipelines.settings import PREFIX, settings_node

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
# Blocks of settings that nodes read.
CHOOSING = ("query", "cycles", "oracle", "control", "main", "engine", "run")
TRAINING = ("query", "control", "main", "engine", "run")
SCORING = ("main", "engine")


def create_pipeline(options: GraphOptions) -> Pipeline:
    """Return the cycles, and what is drawn for all of them.

    With human annotators the last cycle may be a query alone.
    """
    nodes = [_draw_slices().tag("cycles")] if options.control else []
    for cycle in range(options.closed, options.cycles + options.waits):
        nodes += create_cycle(cycle, options).nodes
    return Graph(nodes)


def create_cycle(cycle: int, options: GraphOptions) -> Pipeline:
    """Return one cycle, in namespace `cycle_<number>`.

    Cycle 0 has no model to ask, so nothing to audit.
    """
    first = cycle == 0
    wired = _query(cycle, options)
    if cycle == options.bridge:
        wired.insert(0, _train_again(cycle))
    if options.reasons:
        wired.append(_explain(cycle))
    if cycle < options.cycles:
        wired += _label_and_train(cycle, options)
        if not first:
            wired += [_audit(), _map()]
        if cycle in options.suspects:
            wired.append(_find_suspects(cycle))
    previous = {
        "previous_label_set": "start_label_set" if first else f"cycle_{cycle - 1}.label_set",
        # Only `start_from: previous_cycle` reads it, and cycle 0 has none before it.
        "previous_network": _asked_network(cycle, options),
        "previous_asked": f"cycle_{cycle - 1}.asked",
        "previous_suspects": f"cycle_{cycle - 1}.suspects",
        "classes": class_names(options),
        **_read_by_main(options),
    }
    one = Pipeline(wired, tags="cycles")
    used = one.inputs()
    return Pipeline(
        one,
        namespace=f"cycle_{cycle}",
        inputs={name: previous.get(name, name) for name in (SHARED | previous.keys()) & used},
        parameters={name for name in used if name.startswith(PREFIX)},
        prefix_datasets_with_namespace=True,
    )


def _asked_network(cycle: int, options: GraphOptions) -> str:
    """Dataset of the newest network before a cycle."""
    if cycle == 0:
        return "pretext_network"
    if cycle == options.bridge:
        return f"cycle_{cycle}.asked_network"
    return f"cycle_{cycle - 1}.network"


def _train_again(cycle: int) -> Node:
    """The labels so far, learnt with settings that the newest network was not trained with."""
    data = _named("images", "classes", "trunk", label_set="previous_label_set")
    return settings_node(
        nodes.train_again, data, TRAINING, "asked_network", "train_again", cycle=cycle
    )


def _read_by_main(options: GraphOptions) -> dict[str, str]:
    """Datasets that the main model is trained on, tested on, and starts from."""
    return {
        "images": "features" if options.probes else "pool",
        "test_images": "test_features" if options.probes else "test_pool",
        "trunk": "features_network" if options.tunes else "pretext_network",
    }


def class_names(options: GraphOptions) -> str:
    """Return the dataset of the classes' names: people may add some to those of the source."""
    return "run_classes" if options.people else "classes"


def _draw_slices() -> Node:
    data = _named("ranking", "start_label_set")
    blocks = ("cycles", "control", "run")
    return settings_node(nodes.draw_slices, data, blocks, "control_slices", "draw_slices")


def _query(cycle: int, options: GraphOptions) -> list[Node]:
    data = _named("pool", "features", "ranking", "classes", label_set="previous_label_set")
    if options.control:
        data["slices"] = "control_slices"
    if cycle > 0:
        data |= {"network": "previous_network", "images": "images"}
        if options.people:
            data["asked"] = "previous_asked"
        if options.relabels and cycle - 1 in options.suspects:
            data |= {"suspects": "previous_suspects", "answer_log": "answer_log"}
    query = settings_node(nodes.choose_query, data, CHOOSING, "query", "choose_query", cycle=cycle)
    return [query, _suggest()] if options.people and cycle > 0 else [query]


def _suggest() -> Node:
    data = _named("images", "query", "classes", network="previous_network")
    return settings_node(nodes.suggest, data, SCORING, "suggestions", "suggest")


def _explain(cycle: int) -> Node:
    data = _named("pool", "features", "ranking", "classes", "query", label_set="previous_label_set")
    if cycle > 0:
        data |= {"network": "previous_network", "images": "images"}
    return settings_node(
        nodes.explain_query, data, CHOOSING, "reasons", "explain_query", cycle=cycle
    )


def _find_suspects(cycle: int) -> Node:
    data = _named("features", "label_set", "classes")
    blocks = ("control", "run")
    return settings_node(
        nodes.find_suspects, data, blocks, "suspects", "find_suspects", cycle=cycle
    )


def _label_and_train(cycle: int, options: GraphOptions) -> list[Node]:
    extend = ["previous_label_set", "answers", "classes", "params:query"]
    grow = _bind(nodes.extend_label_set, cycle, chosen_by=options.chosen_by.get(cycle))
    train = _named("images", "label_set", "classes", "trunk", previous="previous_network")
    trained = ["network", "training_curve"]
    return [
        _ask(cycle, options),
        Node(grow, extend, "label_set", name="extend_label_set"),
        settings_node(nodes.train, train, TRAINING, trained, "train_main", cycle=cycle),
        *_evaluate(cycle, options),
    ]


def _ask(cycle: int, options: GraphOptions) -> Node:
    if not options.people:
        return Node(nodes.ask, ["query", "recorded_labels"], "answers", name="ask_oracle")
    read = ["query", "previous_label_set", "answer_log", "params:oracle"]
    if cycle > 0:
        read.append("previous_asked")
    return Node(_bind(nodes.ask_people, cycle), read, ["answers", "asked"], name="ask_oracle")


def _evaluate(cycle: int, options: GraphOptions) -> list[Node]:
    measured = []
    if options.tested:
        data = _named("network", "test_images", "test_labels", "classes", "label_set")
        data |= _asked(options)
        written = ["test_predictions", "metrics"]
        measured.append(settings_node(nodes.evaluate, data, SCORING, written, "evaluate"))
    if options.compares:
        measured.append(_evaluate_probe(cycle))
    if options.control:
        measured.append(_evaluate_control(cycle, options))
    if not options.tested:
        measured.append(Node(nodes.take_control, "control", "metrics", name="take_control"))
    return measured


def _evaluate_probe(cycle: int) -> Node:
    data = _named("features", "test_features", "test_labels", "label_set", "classes")
    blocks = ("control", *SCORING)
    return settings_node(
        nodes.evaluate_probe, data, blocks, "probe_metrics", "evaluate_probe", cycle=cycle
    )


def _evaluate_control(cycle: int, options: GraphOptions) -> Node:
    data = _named("network", "images", "label_set", "classes") | _asked(options)
    blocks = ("control", *SCORING, "run")
    name = "evaluate_control"
    if options.tested:  # of which the predictions are kept then
        return settings_node(nodes.measure_control, data, blocks, "control", name, cycle=cycle)
    written = ["test_predictions", "control"]
    return settings_node(nodes.evaluate_control, data, blocks, written, name, cycle=cycle)


def _asked(options: GraphOptions) -> dict[str, str]:
    """What people were asked: a label that is given once more is paid for once more."""
    return _named("asked") if options.people else {}


def _audit() -> Node:
    data = _named("images", "answers", "ranking", "classes", network="previous_network")
    return settings_node(nodes.audit, data, SCORING, "audit", "audit_pretext")


def _map() -> Node:
    data = _named("images", "query", network="previous_network")
    return settings_node(nodes.map_query, data, ("query", *SCORING), "maps", "map_query")


def _named(*same: str, **others: str) -> dict[str, str]:
    """Datasets by the names of the arguments that they are; most have the same."""
    return dict(zip(same, same, strict=True)) | others


def _bind(function: Callable, cycle: int, **more: Any) -> Callable:
    # A bare partial has no type hints, by which Kedro checks parameters.
    return update_wrapper(partial(function, cycle=cycle, **more), function)
