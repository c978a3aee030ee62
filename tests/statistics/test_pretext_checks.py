"""A network that reads traces, or has nothing left to learn, is found out; rankings are compared pair by pair."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.plots.heat_maps import ranking_agreement
from pt4al.statistics.correlation import rank_correlation
from pt4al.statistics.pretext_checks import COLUMNS, SATURATED, SHORTCUT, agreement, checks, distinct_names

RNG = np.random.default_rng(0)
LOSSES = RNG.exponential(0.5, 2_000).astype(np.float32)


def found(clean=LOSSES, faint=LOSSES, losses=LOSSES, first_epoch=1.0) -> dict:
    return checks((clean, faint), losses, first_epoch).set_index("check").to_dict("index")


def shaken(share: float) -> np.ndarray:
    """The losses, so many of them put in another order."""
    moved = LOSSES.copy()
    rows = RNG.choice(len(moved), int(share * len(moved)), replace=False)
    moved[rows] = RNG.permutation(moved[rows])
    return moved


def test_losses_that_noise_leaves_in_order_raise_no_alarm():
    row = found(faint=LOSSES * 1.5 + 0.1)["shortcut"]
    assert (row["value"], row["alarm"]) == (1, False)
    assert "No sign of a shortcut" in row["sentence"]
    assert "1.00 (95 % interval 1.00 to 1.00, 2,000 images)" in row["sentence"]


@pytest.mark.parametrize("share, alarm", [(0.2, False), (0.9, True), (1.0, True)])
def test_an_order_that_noise_destroys_is_an_alarm_with_a_way_out(share, alarm):
    faint = shaken(share)
    row = found(faint=faint)["shortcut"]
    expected = rank_correlation(LOSSES, faint)
    assert (row["value"], row["low"], row["high"]) == (expected["correlation"], expected["low"], expected["high"])
    assert row["alarm"] == alarm == (row["value"] < SHORTCUT)
    assert ("`pool.noise: 4`" in row["sentence"]) == alarm


def test_losses_that_are_all_the_same_rank_nothing():
    row = found(clean=np.zeros(len(LOSSES)))["shortcut"]
    assert row["alarm"]
    assert np.isnan(row["value"])
    assert "rank nothing" in row["sentence"]


@given(share=st.floats(0, 1), first_epoch=st.floats(0.1, 5))
def test_saturation_is_the_share_of_losses_near_zero(share, first_epoch):
    losses = np.full(1_000, first_epoch)
    losses[: int(share * 1_000)] = 0.009 * first_epoch
    row = found(losses=losses, first_epoch=first_epoch)["saturation"]
    assert row["value"] == int(share * 1_000) / 1_000
    assert row["alarm"] == (row["value"] > SATURATED)
    assert ("cross_fitted" in row["sentence"]) == row["alarm"]


def test_a_task_without_training_can_not_be_saturated():
    assert list(found(first_epoch=None)) == ["shortcut"]
    assert list(checks((LOSSES, LOSSES), LOSSES, None)) == COLUMNS


def test_agreement_has_each_pair_once_whatever_the_order_of_the_images():
    one = pd.DataFrame({"id": [f"i{row}" for row in range(50)], "pretext_loss": LOSSES[:50]})
    tables = {"a": one, "b": one.sample(frac=1, random_state=1), "c": one.assign(pretext_loss=-one["pretext_loss"])}
    table = agreement(tables)
    assert list(zip(table["one"], table["other"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    np.testing.assert_allclose(table["correlation"], [1, -1, -1])
    assert (table["images"] == 50).all()


@pytest.mark.parametrize("tables", [{}, {"a": pd.DataFrame({"id": ["i"], "pretext_loss": [1.0]})}])
def test_fewer_than_two_rankings_have_no_pairs(tables):
    assert agreement(tables).empty


def test_names_are_of_the_settings_that_differ():
    made = {
        "pretext_01": {"task": "rotation", "seed": 0, "n": [1]},
        "pretext_02": {"task": "jigsaw", "seed": 0, "n": [1]},
    }
    assert distinct_names(made) == {"pretext_01": "rotation", "pretext_02": "jigsaw"}
    made["pretext_03"] = {"task": "rotation", "seed": 1, "n": [1]}
    assert distinct_names(made)["pretext_03"] == "rotation, seed 1"
    assert distinct_names({}) == {}


@given(
    settings=st.dictionaries(
        st.text("abcd", min_size=4, max_size=4), st.fixed_dictionaries({"seed": st.integers(0, 1)})
    )
)
def test_no_two_rankings_have_the_same_name(settings):
    names = distinct_names(settings)
    assert names.keys() == settings.keys()
    assert len(set(names.values())) == len(names)


def test_the_heat_map_shows_every_pair_on_both_sides():
    pairs = pd.DataFrame({"one": ["a", "a", "b"], "other": ["b", "c", "c"], "correlation": [0.25, -0.5, np.nan]})
    axes = ranking_agreement(pairs).axes[0]
    written = {(round(x), round(y)): text.get_text() for text in axes.texts for x, y in [text.get_position()]}
    values = [[written[across, up] for across in range(3)] for up in range(3)]
    assert values == [["1.00", "0.25", "-0.50"], ["0.25", "1.00", "–"], ["-0.50", "–", "1.00"]]


CHANCE = float(np.log(4))


def test_a_network_that_guesses_has_learnt_nothing_and_is_not_said_to_be_well():
    near = RNG.uniform(1.34, 1.41, 245)  # of 245 photos after 20 steps
    row = checks((near, near), near, 1.39, CHANCE).set_index("check").to_dict("index")
    assert list(row) == ["shortcut", "learning"]
    assert row["learning"]["alarm"]
    assert "learnt nothing: the mean loss is 1.37" in row["learning"]["sentence"]
    assert "guessing gets 1.386" in row["learning"]["sentence"]
    assert "`pretext.schedule.minimum_steps`" in row["learning"]["sentence"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_network_that_does_better_than_guessing_has_learnt_something(share):
    losses = np.full(100, share * CHANCE)
    row = checks((losses, losses), losses, 1.3, CHANCE).set_index("check")
    assert "saturation" in row.index and "learning" not in row.index
