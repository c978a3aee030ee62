"""A name has one spelling, whoever typed it; names that only look alike are found."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.text import confusable, normalised


@pytest.mark.parametrize(
    "typed",
    ["café", unicodedata.normalize("NFD", "café"), " café", "café\t", "\ufeffcafé", "café\u200b", "\u00a0café\n"],
)
def test_one_name_has_one_spelling(typed):
    assert normalised(typed) == unicodedata.normalize("NFC", "café")


@pytest.mark.parametrize("typed", ["Cat", "hot dog", "hot\u00a0dog", "c#", "c+", "猫", "a/b.jpg", ""])
def test_what_may_be_meant_is_kept(typed):
    assert normalised(typed) == typed


@given(st.text())
def test_a_spelling_stays(name):
    assert normalised(normalised(name)) == normalised(name)


@pytest.mark.parametrize(
    "names",
    [
        ["Cat", "cat"],
        ["hot dog", "hot_dog"],
        ["hot dog", "hot\u00a0dog", "Hot  dog"],
        ["Ｃat", "Cat"],
        ["1", "01", "1.0"],
    ],
)
def test_names_that_look_alike_are_one_group(names):
    assert confusable(["bird", *names, "dog"]) == [names]


def test_names_that_differ_are_no_group():
    assert confusable(["c#", "c+", "c", "-1", "1", "cat", "cats", "cat"]) == []
