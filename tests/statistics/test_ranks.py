"""Ranks of arms over several data sets."""

import pandas as pd
import pytest
from scipy.stats import friedmanchisquare

from pt4al.statistics.ranks import ranks


def table(**areas: float) -> pd.DataFrame:
    """Return two seeds of each arm, whose mean is the area."""
    rows = [(arm, seed, 0, area + (seed - 0.5) / 10) for arm, area in areas.items() for seed in (0, 1)]
    return pd.DataFrame(rows, columns=["arm", "seed", "repeat", "area"])


ONE, TWO = table(random=0.5, margin=0.6, ours=0.7), table(random=0.2, ours=0.3, margin=0.4, badge=0.9)


def test_arms_of_all_data_sets_are_ranked_by_their_means():
    found = ranks({"one": ONE, "two": TWO}, "area")
    assert found["ranks"].to_dict() == {"random": 3, "margin": 1.5, "ours": 1.5}
    assert found["by_data_set"].loc["two"].to_dict() == {"random": 3, "margin": 1, "ours": 2}
    assert found["p"] == pytest.approx(friedmanchisquare([0.5, 0.2], [0.6, 0.4], [0.7, 0.3]).pvalue)


def test_nemenyi_tells_apart_the_ends_of_a_ranking_that_every_data_set_repeats():
    found = ranks({str(number): table(a=0.1, b=0.2, c=0.3, d=0.4) for number in range(8)}, "area")
    assert found["nemenyi"].loc["a", "d"] < 0.01 < 0.05 < found["nemenyi"].loc["a", "b"]
    assert found["p"] < 0.001


def test_repetitions_do_not_count():
    repeated = pd.concat([ONE, table(random=0.99).assign(repeat=1)])
    pd.testing.assert_series_equal(*(ranks({"one": one, "two": TWO}, "area")["ranks"] for one in (ONE, repeated)))


@pytest.mark.parametrize("summaries", [{"one": ONE}, {"one": ONE, "two": TWO[TWO["arm"] != "ours"]}])
def test_one_data_set_or_two_common_arms_have_no_ranking(summaries):
    assert ranks(summaries, "area") is None
