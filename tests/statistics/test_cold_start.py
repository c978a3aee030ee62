"""First queries are compared seed by seed, and nothing is said of what chance alone may have done."""

import pytest
from scipy import stats

from pt4al.statistics.cold_start import summarise, verdicts, wins
from support.first_queries import measured


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
    assert wins(summary).to_dict() == {"better": 2}


def test_one_query_for_every_seed_has_no_interval_of_its_own():
    summary = summarise(measured(random=0.5, fixed="0.55")).set_index(["start", "budget"])
    assert summary.loc[("fixed", 10), ["low", "high"]].isna().all()
    assert summary.loc[("fixed", 10), "queries"] == 1
    assert summary.loc[("fixed", 10), "p_holm"] < 0.05


def test_without_random_starts_nothing_is_tested():
    summary = summarise(measured(typiclust=0.5, coreset=0.4))
    assert summary[["p", "p_holm", "difference"]].isna().all(axis=None)
    assert verdicts(summary) == []
    assert wins(summary).empty
