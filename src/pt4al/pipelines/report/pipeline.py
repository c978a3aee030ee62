"""Wiring of stage `report`. Its nodes always run: another run's curve may have come to compare with."""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.cycle.pipeline import class_names
from pt4al.pipelines.graph import Shape
from pt4al.pipelines.pretext.checks import compare_rankings
from pt4al.pipelines.report import nodes, worth


def create_pipeline(shape: Shape) -> Pipeline:
    """Return the report on the cycles that are, or can be, finished; nothing before there is one."""
    numbers = range(shape.cycles)
    if not numbers:
        return Pipeline([])
    facts = ["learning_curve", "pretext_audit", "run_curves", "timings", "parameters"]
    asked = [f"cycle_{cycle}.query" for cycle in numbers] + [
        f"cycle_{cycle}.maps" for cycle in numbers[1:]
    ]
    ledger = [f"cycle_{cycle}.{table}" for table in ("query", "answers") for cycle in numbers]
    label_set = f"cycle_{shape.cycles - 1}.label_set"
    return Pipeline(
        [
            Node(
                nodes.collect_curve,
                ["pool", *(f"cycle_{cycle}.metrics" for cycle in numbers)],
                ["learning_curve", "final_metrics"],
                name="collect_curve",
            ),
            Node(
                nodes.collect_audit,
                [f"cycle_{cycle}.audit" for cycle in numbers[1:]] or None,
                "pretext_audit",
                name="collect_audit",
            ),
            Node(
                compare_rankings,
                ["pretext_settings", "all_pretext_losses", "all_pretext_settings"],
                "ranking_agreement",
                name="compare_rankings",
                tags="page",
            ),
            Node(
                nodes.check_leaks,
                [
                    "start_label_set",
                    label_set,
                    "test_pool",
                    "reads",
                    "learning_curve",
                    "params:cycles",
                    *ledger,
                ],
                "leak_check",
                name="check_leaks",
            ),
            Node(
                nodes.draw,
                [
                    "pool",
                    "ranking",
                    "ranking_agreement",
                    label_set,
                    class_names(shape),
                    *facts,
                    *asked,
                ],
                "pictures",
                name="draw_pictures",
                tags="page",
            ),
            *_worth(shape, label_set),
            Node(nodes.write_page, _page(shape, facts), "report", name="write_report", tags="page"),
        ],
        tags=["report", "always"],
    )


def _worth(shape: Shape, label_set: str) -> list[Node]:
    numbers = range(shape.cycles)
    wired = []
    if shape.control:
        inputs = [
            "learning_curve",
            "run_curves",
            "parameters",
            *(f"cycle_{cycle}.control" for cycle in numbers),
        ]
        weigh = worth.weigh_people if shape.people else worth.weigh
        wired += [
            Node(
                weigh,
                ["answer_log", *inputs] if shape.people else inputs,
                "worth",
                name="weigh",
                tags="page",
            ),
            Node(
                worth.draw_worth,
                ["worth", "parameters"],
                "worth_picture",
                name="draw_worth",
                tags="page",
            ),
        ]
    if shape.reasons:
        inputs = ["pool", label_set, *(f"cycle_{cycle}.reasons" for cycle in numbers)]
        wired.append(
            Node(worth.draw_reasons, inputs, "reason_sheets", name="draw_reasons", tags="page")
        )
    return wired


def _page(shape: Shape, facts: list[str]) -> dict[str, str]:
    names = [
        "pictures",
        *facts,
        "problems",
        "duplicates",
        "leak_check",
        "pretext_checks",
        "feature_checks",
    ]
    names += ["source_summary", "intake_link"]
    names += ["reason_sheets"] if shape.reasons else []
    names += ["worth", "worth_picture"] if shape.control else []
    wired = {name: name for name in names}
    if shape.compares:
        wired["probe_metrics"] = f"cycle_{shape.cycles - 1}.probe_metrics"
    return wired
