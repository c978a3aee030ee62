"""What the comparison's page says and shows."""

import re
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from pt4al.pages.comparison import draw_comparison, render_comparison_page
from pt4al.pages.facts import ComparisonPage, Metric
from pt4al.statistics.comparison import ComparisonSettings, compare
from support.arms import RULE, cells

GAINS = {"random": 0.0, "margin": 0.01, "ours": 0.03}
CELLS = cells(GAINS, repeated="random")
SETTINGS = ComparisonSettings("accuracy", "random", RULE, 2, {"elsewhere": cells(GAINS, seed=1)})
RUNS = CELLS.drop_duplicates("run")[["run", "arm", "seed", "repeat"]]
RUNS = RUNS.assign(report="../" + RUNS["run"] + "/report.html")
LEAKS = pd.DataFrame({"run": RUNS["run"], "check": "Each label was asked for once", "ok": True})
SECONDS = pd.DataFrame({"arm": RUNS["arm"], "seed": RUNS["seed"], "run": RUNS["run"], "stage": "main", "seconds": 61.0})
QUERIES = CELLS[CELLS["repeat"] == 0][["arm", "seed", "cycle"]].merge(
    pd.DataFrame({"class": ["dress", "coat"], "images": [30, 70]}), how="cross"
)
AUDITS = pd.DataFrame({"arm": "ours", "seed": [0, 1], "cycle": 1, "correlation": [0.1, 0.2], "low": 0.0, "high": 0.3})
TABLES = {"cells": CELLS, "queries": QUERIES, "seconds": SECONDS, "audits": AUDITS}


@pytest.fixture(scope="module")
def facts() -> dict:
    results = compare(CELLS, SETTINGS, np.random.default_rng(0))
    return {
        "title": "Comparison <b>strategies</b>",
        "metric": Metric("accuracy", "accuracy"),
        "results": results,
        "settings": SETTINGS,
        "arms": {arm: f"query.measure: <{arm}>" for arm in GAINS},
        "runs": RUNS,
        "leaks": LEAKS,
        "seconds": SECONDS,
        "figures": draw_comparison(results, TABLES, SETTINGS),
    }


def render(facts: dict) -> str:
    return render_comparison_page(ComparisonPage(**facts))


def text(page: str) -> str:
    words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", words)


def rows(page: str, heads: str) -> dict[str, list[str]]:
    """Return the cells of the table whose first head is given and has this text, by the first cell."""
    (table,) = [part for part in re.findall("<table.*?</table>", page, re.DOTALL) if heads in text(part)]
    cells = [[text(cell).strip() for cell in re.findall("<td>(.*?)</td>", row)] for row in table.split("<tr")[2:]]
    return {row[0]: row[1:] for row in cells}


def test_the_verdict_comes_first_and_the_rule_with_it(facts):
    page = text(render(facts))
    parts = ["ours beats random and margin", "The rule, stated before the run", "Against margin", "Accuracy by number"]
    places = [page.index(part) for part in parts]
    assert places == sorted(places) and "By it ours wins" in page


def test_every_arm_has_its_numbers_the_highest_area_first(facts):
    table = rows(render(facts), "low budget final against random")
    assert list(table) == ["ours", "margin", "random"]
    areas = facts["results"].arms.set_index("arm")["area"]
    assert table["ours"][0].startswith(f"{100 * areas['ours']:.1f} ±")
    assert table["ours"][3].startswith("+3.") and table["ours"][6] == "1 min 1 s"
    assert table["random"][3:6] == ["–", "–", "300"]


def test_every_run_has_its_numbers_and_a_link_to_its_page(facts):
    page = render(facts)
    table = rows(page, "run arm seed repetition")
    assert set(table) == set(RUNS["run"])
    for row in facts["results"].summary.to_dict("records"):
        assert table[row["run"]][3:] == [f"{100 * row[name]:.1f} %" for name in ("area", "low_budget", "final")]
        assert f'href="../{row["run"]}/report.html"' in page


def test_every_figure_is_shown_and_nothing_comes_from_elsewhere(facts):
    page = render(facts)
    assert page.count('<svg role="img" aria-label="') == len(facts["figures"]) == 8
    assert "http" not in re.sub("http-equiv", "", page) and not re.search(r"url\((?!#)|src=|<script", page)


def test_text_is_escaped(facts):
    page = render(facts)
    assert "<b>strategies" not in page and "&lt;b&gt;strategies" in page
    assert "query.measure: &lt;ours&gt;" in page


def test_leak_proof_counts_the_runs_that_were_checked(facts):
    assert "an unasked label: checked by code in 20 of 20 runs" in text(render(facts))
    some = render(facts | {"leaks": LEAKS.head(7)})
    assert "checked by code in 7 of 20 runs" in text(some) and 'class="ok"' not in some
    assert "No run was checked for leaks" in render(facts | {"leaks": LEAKS.head(0)})


def test_a_leak_is_told_with_its_run_before_any_number(facts):
    leaks = LEAKS.assign(ok=LEAKS["run"] != "c-margin-s3")
    page = text(render(facts | {"leaks": leaks}))
    assert "can't be trusted: 1 of 20 checked runs read what they should not: c-margin-s3" in page
    assert "No query and no training" not in page
    assert page.index("c-margin-s3") < page.index("Accuracy by number")
    assert "Each label was asked for once: failed in c-margin-s3" in page
    sentences = LEAKS.assign(check="Each label was asked for once.")
    assert "asked for once: held in 20 of 20 runs" in text(render(facts | {"leaks": sentences}))


def test_a_lost_claim_is_told_as_such(facts):
    settings = replace(SETTINGS, rule=replace(RULE, claim="random", against=["margin", "ours"]))
    results = compare(CELLS, settings, np.random.default_rng(0))
    page = render(facts | {"results": results, "settings": settings})
    assert "random does not beat margin or ours" in text(page) and "By it random does not win" in text(page)
    assert 'class="answer lost"' in page


def test_few_seeds_are_called_an_indication(facts):
    assert "Fewer than 5 seeds" not in render(facts)
    few = CELLS[CELLS["seed"] < 3]
    results = compare(few, replace(SETTINGS, others={}), np.random.default_rng(0))
    page = render(facts | {"results": results})
    assert "Fewer than 5 seeds" in page and "Over several data sets" not in page
    assert 'class="answer unsure"' in page and "thin lines: single seeds" in page


def test_what_was_not_recorded_has_no_figure(facts):
    tables = TABLES | {name: TABLES[name].head(0) for name in ("queries", "seconds", "audits")}
    drawn = draw_comparison(replace(facts["results"], ranks=None), tables, SETTINGS)
    assert set(drawn) == {"curves", "differences", "savings", "penalties"}
    page = render(facts | {"figures": drawn, "seconds": SECONDS.head(0)})
    assert page.count("<svg ") == 4


@pytest.mark.parametrize("name", [field.name for field in fields(ComparisonPage)])
def test_a_missing_fact_is_named(facts, name):
    with pytest.raises(TypeError, match=name):
        render({key: value for key, value in facts.items() if key != name})
