"""Labels that are asked for again: the most suspicious, once each, and none that measures."""

import pandas as pd

from pt4al.selection.relabel import choose

SUSPECTS = pd.DataFrame({"id": list("abcde"), "suspicious": [True, True, True, True, False]})
LABELS = pd.DataFrame({"id": list("abcde"), "why": ["margin", "control", "margin", "margin", "margin"]})
ASKED = pd.DataFrame({"id": ["a", "c", "a"], "role": ["query", "query", "relabel"]})


def test_the_most_suspicious_come_first_but_for_control_images_and_those_that_were_asked_again() -> None:
    assert list(choose(SUSPECTS, LABELS, ASKED, 1)) == ["c"]
    assert list(choose(SUSPECTS, LABELS, ASKED, 5)) == ["c", "d"]


def test_what_is_not_suspicious_is_not_asked_again_though_labels_are_left() -> None:
    assert list(choose(SUSPECTS.tail(1), LABELS, ASKED, 3)) == []
