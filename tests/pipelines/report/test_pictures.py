"""Why an image was chosen, where the table of an older version did not note it."""

import numpy as np

from pt4al.pipelines.report.pictures import _why

REASON = {"id": "a", "score": 0.25, "place": 25, "places": 1000, "batch": 2, "pretext_loss": 1.38, "stands_for": 18}


def test_an_older_table_says_what_it_knows_and_guesses_nothing() -> None:
    assert _why(REASON) == "Score 0.250. Stands for 17 other unlabelled images."
    assert _why(REASON | {"score": np.nan, "stands_for": 2}) == "Stands for 1 other unlabelled image."
