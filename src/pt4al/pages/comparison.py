"""Write a comparison as one HTML page that needs nothing but itself, the verdict first."""

from functools import partial

import pandas as pd

from pt4al.pages.facts import ComparisonPage
from pt4al.pages.render import render_page
from pt4al.plots import comparison_bars, comparison_curves, comparison_grids
from pt4al.plots.comparison_curves import FEWEST
from pt4al.plots.comparison_grids import needed_text
from pt4al.plots.style import pictures
from pt4al.statistics.comparison import Comparison, ComparisonSettings
from pt4al.statistics.verdict import CURVE_SUMMARIES


def draw_comparison(
    results: Comparison, tables: dict[str, pd.DataFrame], settings: ComparisonSettings
) -> dict[str, bytes]:
    """Return the page's figures by name.

    Parameters
    ----------
    results
        See `pt4al.statistics.comparison.compare`.
    tables
        `cells`, `queries`, `seconds`, `audits`; all but the first may be empty.
    settings
        As for `compare`.
    """
    arms = list(results.arms["arm"])
    reference = settings.reference
    heavy = [settings.rule.claim, reference]
    drawings = {
        "curves": partial(
            comparison_curves.learning_curves, tables["cells"], settings.metric, arms, heavy
        ),
        "differences": partial(
            comparison_bars.differences, results.paired, reference, results.floor, arms
        ),
        "savings": partial(comparison_grids.label_savings, results.savings, reference),
        "penalties": partial(comparison_grids.penalty_matrix, results.penalties),
    }
    optional = {
        "queries": comparison_curves.class_balance,
        "audits": comparison_curves.audits,
        "seconds": comparison_bars.seconds_by_arm,
    }
    for name, draw in optional.items():
        if len(tables[name]):
            drawings[name] = partial(draw, tables[name], arms)
    if results.ranks:
        drawings["ranks"] = partial(comparison_bars.critical_difference, results.ranks, arms)
    return pictures(drawings)


def render_comparison_page(facts: ComparisonPage) -> str:
    """Return the page."""
    results = facts.results
    settings = facts.settings
    leaks = facts.leaks
    # Text: of an empty column, a table that was read again makes numbers.
    reports = facts.runs[["run", "report"]].astype(object)
    cells = results.summary.merge(reports, on="run", how="left").fillna({"report": ""})
    few = results.arms["seeds"].min() < FEWEST
    shown = {
        "spread": "thin lines: single seeds" if few else "bands: 95 % intervals",
        "verdict": results.verdict,
        "floor": results.floor,
        "summed_up_by": CURVE_SUMMARIES[settings.rule.metric],
        "rows": _rows(results, settings.reference, facts.seconds),
        "tests": results.paired.to_dict("records"),
        "budget": _middle(results.savings),
        "cells": cells.to_dict("records"),
        "leak_checks": _leak_checks(leaks),
        "checked": leaks["run"].nunique(),
        "leaking": sorted(leaks.loc[~leaks["ok"].astype(bool), "run"].unique()),
    }
    return render_page("comparison.html", {**vars(facts), **shown})


def _rows(results: Comparison, reference: str, seconds: pd.DataFrame) -> list[dict]:
    """Return the main table's rows, the highest area first."""
    tests = results.paired.query("against == @reference").set_index("arm")
    savings = results.savings
    ends = savings["labels"].min(), savings["labels"].max()
    budget = savings[savings["labels"] == _middle(savings)].set_index("arm")["needed"]
    totals = seconds.groupby("arm")["seconds"].sum() / seconds.groupby("arm")["run"].nunique()
    rows = []
    for row in results.arms.sort_values("area", ascending=False).to_dict("records"):
        arm = row["arm"]
        test = tests.loc[arm].to_dict() if arm in tests.index else None
        needed = needed_text(budget[arm], ends)
        rows.append({**row, "test": test, "needed": needed, "seconds": totals.get(arm)})
    return rows


def _middle(savings: pd.DataFrame) -> int:
    """Return the middle budget: at the first all arms are alike, at the last few can be reached."""
    labels = sorted(savings["labels"].unique())
    return int(labels[len(labels) // 2])


def _leak_checks(leaks: pd.DataFrame) -> list[dict]:
    """Return for each check: its sentence, in how many runs it was made, and in which it failed."""
    return [
        {
            "check": check,
            "runs": len(rows),
            "failed": list(rows.loc[~rows["ok"].astype(bool), "run"]),
        }
        for check, rows in leaks.groupby("check", sort=False)
    ]
