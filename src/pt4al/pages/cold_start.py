"""Write a comparison of first queries as one HTML page that needs nothing but itself."""

from functools import partial

import pandas as pd

from pt4al.pages.facts import ColdStartPage
from pt4al.pages.render import render_page
from pt4al.plots.cold_start import accuracy_by_budget
from pt4al.plots.style import pictures
from pt4al.statistics.cold_start import verdicts, wins


def render_cold_start_page(title: str, summary: pd.DataFrame) -> str:
    """Return the page. `summary`: see `pt4al.statistics.cold_start.summarise`."""
    won = wins(summary)
    facts = ColdStartPage(
        title=title,
        best=None if won.empty else {"start": won.index[0], "wins": int(won.iloc[0])},
        budgets=summary["budget"].nunique(),
        verdicts=verdicts(summary),
        rows=summary.astype(object).where(summary.notna(), None).to_dict("records"),
        fixed=list(summary.loc[summary["queries"] == 1, "start"].unique()),
        figures=pictures({"accuracy": partial(accuracy_by_budget, summary)}),
    )
    return render_page("cold_start.html", vars(facts))
