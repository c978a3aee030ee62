"""Wiring of stage `comparison`. Its nodes always run: the cells know themselves what is finished."""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.comparison import nodes, plan

COLLECTED = [f"comparison_{name}" for name in ("cells", "queries", "seconds", "audits", "leaks")]
JUDGED = [
    f"comparison_{name}"
    for name in ("summary", "paired", "penalties", "savings", "pictures", "page")
]


def create_pipeline() -> Pipeline:
    return Pipeline(
        [
            # Where the project is, and what was typed: hooks.py says.
            Node(
                plan.write_plan,
                ["parameters", "params:project"],
                "comparison_plan",
                name="plan_cells",
            ),
            Node(
                nodes.run_cells,
                ["comparison_plan", "parameters", "params:project", "runs"],
                "comparison_runs",
                name="run_cells",
            ),
            Node(
                nodes.collect,
                ["comparison_runs", "classes", "parameters", "runs"],
                COLLECTED,
                name="collect_cells",
            ),
            Node(
                nodes.judge,
                ["comparison_runs", *COLLECTED, "parameters", "runs"],
                JUDGED,
                name="judge_arms",
            ),
        ],
        tags=["comparison", "always"],
    )
