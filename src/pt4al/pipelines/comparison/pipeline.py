"""Wiring of stage `comparison`.

Its nodes always run: the cells know themselves what is finished.
"""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.comparison import nodes, plan

# Datasets of the tables that cells leave, by their names in `nodes.CellTables`.
COLLECTED = {
    "curves": "comparison_cells",
    "queries": "comparison_queries",
    "seconds": "comparison_seconds",
    "audits": "comparison_audits",
    "leaks": "comparison_leaks",
}
JUDGED = [
    f"comparison_{name}"
    for name in ("summary", "paired", "penalties", "savings", "pictures", "page")
]


def create_pipeline() -> Pipeline:
    """Return what plans the cells, runs them, collects what they leave and judges the arms."""
    return Pipeline(
        [
            # Where the project is, and what was typed: preflight.py says.
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
                list(COLLECTED.values()),
                name="collect_cells",
            ),
            Node(
                nodes.judge,
                {"finished": "comparison_runs", "parameters": "parameters", "runs": "runs"}
                | COLLECTED,
                JUDGED,
                name="judge_arms",
            ),
        ],
        tags=["comparison", "always"],
    )
