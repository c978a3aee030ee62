"""Wiring of stage `report`. Its nodes always run: there may be another run to compare with."""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.cycle.pipeline import class_names
from pt4al.pipelines.options import GraphOptions
from pt4al.pipelines.pretext.checks import compare_rankings
from pt4al.pipelines.report import (
    agreement,
    baselines,
    failures,
    history,
    map,
    nodes,
    page,
    pictures,
)

MAPS = {"pca": map.map_by_pca, "umap": map.map_by_umap}


def create_pipeline(options: GraphOptions) -> Pipeline:
    """Return the report on the cycles that are, or can be, finished; empty without one."""
    if not options.cycles:
        return Pipeline([])
    wired = [*_tables(options), *_judged(options), *_pictures(options), _page(options)]
    if options.control:
        wired += _worth(options)
    if options.people:
        wired.append(_agreement())
    always = Pipeline(wired, tags=["report", "always"])
    if options.map == "none":
        return always
    # Made once of the same features; the others are made at each command.
    mapped = Pipeline([_map_of_features(options), *_map(options)], tags="report")
    return always + mapped


def _tables(options: GraphOptions) -> list[Node]:
    """Return the nodes that a comparison's cells have, too."""
    audits = _of_cycles(options, "audit", first=1)
    return [
        Node(
            nodes.collect_curve,
            {"pool": "pool", **_of_cycles(options, "metrics")},
            ["learning_curve", "final_metrics"],
            name="collect_curve",
        ),
        Node(nodes.collect_audit, audits or None, "pretext_audit", name="collect_audit"),
        Node(
            history.gather_history,
            {
                **_same("parameters", "pool", "start_label_set", "learning_curve", "pretext_audit"),
                "classes": class_names(options),
                "label_set": f"cycle_{options.cycles - 1}.label_set",
                **_of_cycles(options, "query"),
                **_of_cycles(options, "answers"),
            },
            "run_history",
            name="gather_history",
        ),
        Node(
            nodes.check_leaks,
            {"history": "run_history", **_same("chapters", "test_pool", "reads")},
            "leak_check",
            name="check_leaks",
        ),
    ]


def _judged(options: GraphOptions) -> list[Node]:
    predictions = {"predictions": f"cycle_{options.cycles - 1}.known_test_predictions"}
    judged = _same("test_pool", "run_curves", "runs") | predictions
    if options.control:
        judged |= _same("worth")
    return [
        Node(
            baselines.judge_run,
            {"history": "run_history", **judged},
            ["curves", "verdict"],
            name="judge_run",
            tags="page",
        ),
        Node(
            failures.find_failures,
            {"history": "run_history", "test_pool": "test_pool", **predictions},
            ["failures", "failure_pictures"],
            name="find_failures",
            tags="page",
        ),
    ]


def _pictures(options: GraphOptions) -> list[Node]:
    rankings = Node(
        compare_rankings,
        ["pretext_settings", "all_pretext_losses", "all_pretext_settings"],
        "ranking_agreement",
        name="compare_rankings",
        tags="page",
    )
    drawn = Node(
        pictures.draw_pictures,
        {
            "history": "run_history",
            **_same("ranking", "ranking_agreement", "curves", "timings", "chapters"),
            **_of_cycles(options, "maps", first=1),
        },
        "pictures",
        name="draw_pictures",
        tags="page",
    )
    if not options.reasons:
        return [rankings, drawn]
    reasons = Node(
        pictures.draw_reasons,
        {"history": "run_history", **_reasons(options)},
        "reason_sheets",
        name="draw_reasons",
        tags="page",
    )
    return [rankings, drawn, reasons]


def _map_of_features(options: GraphOptions) -> Node:
    made = f"{options.map}_map"
    return Node(MAPS[options.map], "features", made, name="map_pool", tags=["page", "grows"])


def _map(options: GraphOptions) -> list[Node]:
    inputs = {"history": "run_history", "places": f"{options.map}_map", **_same("ranking")}
    if options.waits:
        inputs["waiting"] = f"cycle_{options.cycles}.query"
    inputs |= _suspects(options)
    drawn = ["map", "map_preview"]
    return [Node(map.draw_map, inputs, drawn, name="draw_map", tags=["page", "always"])]


def _worth(options: GraphOptions) -> list[Node]:
    answers = _same("answer_log") if options.people else {}
    return [
        Node(
            nodes.weigh,
            {
                "history": "run_history",
                **_same("run_curves"),
                **answers,
                **_of_cycles(options, "control"),
            },
            "worth",
            name="weigh",
            tags="page",
        ),
        Node(
            pictures.draw_worth,
            {"worth": "worth", "history": "run_history"},
            "worth_picture",
            name="draw_worth",
            tags="page",
        ),
    ]


def _suspects(options: GraphOptions) -> dict[str, str]:
    """Labels that look wrong after the last cycle, where they were looked for."""
    if not options.lists_suspects or options.cycles - 1 not in options.suspects:
        return {}
    return {"suspects": f"cycle_{options.cycles - 1}.suspects"}


def _agreement() -> Node:
    inputs = {"history": "run_history", **_same("answer_log")}
    return Node(agreement.compare_people, inputs, "agreement", name="compare_people", tags="page")


def _page(options: GraphOptions) -> Node:
    inputs = _same(
        "run_history",
        "chapters",
        "curves",
        "verdict",
        "failures",
        "failure_pictures",
        "default_parameters",
        "runs",
        "timings",
        "problems",
        "duplicates",
        "source_summary",
        "intake_link",
        "next_commands",
        "pretext_checks",
        "feature_checks",
        "leak_check",
        "pictures",
    )
    if options.reasons:
        inputs |= _same("reason_sheets")
    if options.control:
        inputs |= _same("worth", "worth_picture")
    if options.map != "none":
        inputs |= _same("map_preview")
    if options.compares:
        inputs["probe_metrics"] = f"cycle_{options.cycles - 1}.probe_metrics"
    inputs |= _suspects(options)
    if options.people:
        inputs |= _same("agreement")
    return Node(page.write_page, inputs, "report", name="write_report", tags="page")


def _reasons(options: GraphOptions) -> dict[str, str]:
    """Why the queries' images were chosen; cycles that were made without it say nothing."""
    cycles = set(range(options.cycles)) - options.unexplained
    return _same(*(f"cycle_{cycle}.reasons" for cycle in sorted(cycles)))


def _same(*names: str) -> dict[str, str]:
    """Return datasets that a node's function calls by their own names."""
    return {name: name for name in names}


def _of_cycles(options: GraphOptions, name: str, first: int = 0) -> dict[str, str]:
    """Return one dataset of each cycle: `cycle_0.query`, `cycle_1.query` and so on."""
    return _same(*(f"cycle_{cycle}.{name}" for cycle in range(first, options.cycles)))
