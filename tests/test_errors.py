"""An error's last words help to put it right."""

import pytest

from pt4al.errors import InputError, did_you_mean


@pytest.mark.parametrize(
    ("typo", "meant"), [("margn", "margin"), ("Entropy", "entropy"), ("least_confident", "least_confidence")]
)
def test_near_name_is_offered(typo, meant):
    assert did_you_mean(typo, ["margin", "entropy", "least_confidence"]) == f"did you mean {meant!r}?"


def test_all_names_are_listed_in_order_where_none_is_near():
    assert did_you_mean("zzz", ["margin", "entropy"]) == "known: entropy, margin"


def test_anything_may_stand_where_a_name_should():
    assert did_you_mean(3, iter(["margin"])) == "known: margin"


def test_a_persons_mistake_is_a_wrong_value():
    assert issubclass(InputError, ValueError)
