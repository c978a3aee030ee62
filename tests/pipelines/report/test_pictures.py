"""What a query's pictures are, and why one was chosen, where an older version did not note it."""

import numpy as np
import pandas as pd

from pt4al.pipelines.report.history import gather_history
from pt4al.pipelines.report.pictures import _answered, _why
from support.projects import tiny

REASON = {"id": "a", "score": 0.25, "place": 25, "places": 1000, "batch": 2, "pretext_loss": 1.38, "stands_for": 18}


def test_an_older_table_says_what_it_knows_and_guesses_nothing() -> None:
    assert _why(REASON) == "Score 0.250. Stands for 17 other unlabelled images."
    assert _why(REASON | {"score": np.nan, "stands_for": 2}) == "Stands for 1 other unlabelled image."


def test_images_that_only_stood_by_in_a_round_are_not_shown_as_asked_for_in_it() -> None:
    label_set = pd.DataFrame({"id": ["a", "late", "taken", "later"], "label": "cat", "cycle": [1, 2, 1, 2]})
    names = ("classes", "pool", "start_label_set", "learning_curve", "pretext_audit")
    history = gather_history(tiny(), label_set=label_set, **dict.fromkeys(names))
    query = pd.DataFrame({"id": ["a", "late", "skipped", "taken", "later", "unused"]})
    assert list(_answered(history, query, 1)) == [True, True, False, True, True, False]
    roles = query.assign(role=["control", "query", "query", "reserve", "reserve", "reserve"])
    assert list(_answered(history, roles, 1)) == [True, True, False, True, False, False]
