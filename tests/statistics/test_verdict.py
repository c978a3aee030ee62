"""Who wins, by the rule, in words."""

from dataclasses import replace

import pytest

from pt4al.errors import InputError
from pt4al.statistics.comparison import summary
from pt4al.statistics.paired import noise_floor
from pt4al.statistics.verdict import Rule, Verdict, best, p_text, points, verdict
from support.arms import RULE, cells


def judged(gains: dict[str, float], noise: float = 0.002, rule: Rule = RULE) -> Verdict:
    table = summary(cells(gains, noise=noise, repeated="random"), "accuracy", 2)
    return verdict(table, rule, noise_floor(table, "area"))


def test_a_clear_gain_over_every_opponent_wins():
    found = judged({"random": 0.0, "margin": 0.01, "ours": 0.03})
    assert found.won and found.headline == "ours beats random and margin"
    against_random, against_margin = found.sentences
    assert against_random.startswith("Against random: +3.") and against_random.endswith("p < 0.001, 5 seeds): a win.")
    assert against_margin.startswith("Against margin: +2.") and "95 % interval +" in against_margin


def test_one_opponent_that_is_level_costs_the_win():
    found = judged({"random": 0.0, "margin": 0.03, "ours": 0.03})
    assert not found.won and found.headline == "ours beats random, but not margin"
    assert "no win" in found.sentences[1] and "noise floor" in found.sentences[1]


def test_a_loss_is_called_a_loss():
    found = judged({"random": 0.0, "margin": 0.01, "ours": -0.05})
    assert found.headline == "ours does not beat random or margin"
    assert all("it is a significant loss" in sentence for sentence in found.sentences)


def test_a_significant_gain_below_the_least_one_is_no_win():
    found = judged({"random": 0.0, "margin": 0.0, "ours": 0.004}, noise=0.0002)
    assert not found.won
    assert all("no win: it is less than 0.5." in sentence for sentence in found.sentences)


def test_a_large_gain_that_chance_explains_is_no_win():
    found = judged({"random": 0.0, "margin": 0.0, "ours": 0.02}, noise=0.06)
    assert not found.won
    assert any("it is not significant" in sentence for sentence in found.sentences)


def test_a_significant_gain_within_the_noise_floor_is_no_win():
    table = summary(cells({"random": 0.0, "ours": 0.01}), "accuracy", 2)
    floor = {"arm": "random", "seeds": 5, "deviation": 2, "floor": 1.5}
    found = verdict(table, replace(RULE, against=["random"]), floor)
    assert not found.won and found.sentences[0].endswith("no win: it is within the noise floor of 1.50.")


def test_the_rule_is_told_with_all_its_numbers():
    rule = judged({"random": 0.0, "margin": 0.01, "ours": 0.03}).rule
    for part in ("ours wins if", "area under the curve", "0.5 points", "random and margin", "p < 0.05", "noise floor"):
        assert part in rule
    unmeasured = verdict(summary(cells({"random": 0.0, "margin": 0.0, "ours": 0.1}), "accuracy", 2), RULE, None)
    assert unmeasured.won and "The noise floor was not measured" in unmeasured.rule


def test_only_the_rules_own_tests_are_corrected_for():
    few = {"random": 0.0, "margin": 0.01, "ours": 0.03}
    # The further arms come last: what chance gives the first ones stays the same.
    many = few | {f"other{number}": 0.02 for number in range(8)}
    tables = [summary(cells(gains), "accuracy", 2) for gains in (few, many)]
    few_sentences, many_sentences = (verdict(table, RULE, None).sentences for table in tables)
    assert few_sentences == many_sentences


@pytest.mark.parametrize(
    ("against", "message"),
    [(["ours"], "names no arm to compare ours with"), (["random", "badge"], "names arm badge, which has no cells")],
)
def test_a_rule_that_cannot_be_applied_is_refused(against, message):
    with pytest.raises(InputError, match=message):
        judged({"random": 0.0, "ours": 0.1}, rule=replace(RULE, against=against))


def test_the_best_arm_is_named_with_those_that_are_level():
    table = summary(cells({"random": 0.0, "margin": 0.05, "ours": 0.05, "badge": 0.02}), "accuracy", 2)
    sentence = best(table, RULE)
    assert "has the highest area under the curve" in sentence and "Holm's correction over 3" in sentence
    named = sentence.partition(" has ")[0]
    assert f"{({'margin', 'ours'} - {named}).pop()} can't be told from it" in sentence
    alone = best(summary(cells({"random": 0.0, "ours": 0.05}), "accuracy", 2), RULE)
    assert alone.startswith("ours has") and "every other arm is significantly lower" in alone


def test_numbers_are_written_for_people():
    assert [points(value) for value in (1.25, -0.04, -1.06)] == ["+1.2", "+0.0", "-1.1"]
    assert [p_text(p) for p in (0.0004, 0.0123, 1.0)] == ["< 0.001", "0.012", "1.000"]
