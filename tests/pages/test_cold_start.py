"""First queries are compared seed by seed, and nothing is said of what chance alone may have done."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pt4al.pages.cold_start import draw, render, summarise, verdicts


def measured(budgets: tuple[int, ...] = (10, 50), seeds: int = 20, **accuracies: object) -> pd.DataFrame:
    """A table of starts whose accuracies scatter around a mean by 2 points; around None, not at all."""
    rng, rows = np.random.default_rng(0), []
    for start, mean in accuracies.items():
        for budget in budgets:
            for seed in range(seeds):
                fixed = isinstance(mean, str)
                accuracy = float(mean) + (0 if fixed else rng.normal(0, 0.02))
                query = start if fixed else f"{start} {seed}"
                rows.append((start, budget, seed, accuracy, accuracy - 0.01, f"{query} {budget}"))
    return pd.DataFrame(rows, columns=["start", "budget", "seed", "accuracy", "balanced_accuracy", "query"])


def test_difference_and_p_are_those_of_scipys_paired_t_test():
    table = measured(random=0.5, typiclust=0.51)
    summary = summarise(table).set_index(["start", "budget"])
    one, other = (
        table.query("start == @start and budget == 10")["accuracy"].to_numpy() for start in ("typiclust", "random")
    )
    expected = stats.ttest_rel(one, other)
    found = summary.loc[("typiclust", 10)]
    assert found["p"] == pytest.approx(expected.pvalue)
    low, high = expected.confidence_interval()
    assert found[["difference_low", "difference_high"]].tolist() == pytest.approx([low, high])
    assert (summary["p_holm"].dropna() >= summary["p"].dropna()).all()


def test_start_that_is_better_is_said_to_be_and_equal_ones_are_not():
    summary = summarise(measured(random=0.5, better=0.6, worse=0.4, same=0.5))
    assert verdicts(summary) == [
        "better is better at 10, 50 labels.",
        "worse is worse at 10, 50 labels.",
        "same is not to be told from random.",
    ]
    assert "<b>better</b> beats a random first query at 2 of 2 budgets" in render(summary, "First queries")


def test_one_query_for_every_seed_has_no_interval_of_its_own():
    summary = summarise(measured(random=0.5, fixed="0.55")).set_index(["start", "budget"])
    assert summary.loc[("fixed", 10), ["low", "high"]].isna().all()
    assert summary.loc[("fixed", 10), "queries"] == 1
    assert summary.loc[("fixed", 10), "p_holm"] < 0.05
    page = render(summary.reset_index(), "First queries")
    assert "fixed: the same query with every seed" in page


def test_without_random_starts_nothing_is_tested():
    summary = summarise(measured(typiclust=0.5, coreset=0.4))
    assert summary[["p", "p_holm", "difference"]].isna().all(axis=None)
    assert verdicts(summary) == []
    assert "<b>No start</b>" in render(summary, "First queries")


def test_figure_has_a_line_for_each_start():
    axes = draw(summarise(measured(random=0.5, fixed="0.55"))).axes[0]
    assert [line.get_label() for line in axes.get_lines()] == ["random", "fixed"]
    assert axes.get_lines()[1].get_ydata() == pytest.approx([0.55, 0.55])
