"""Why an image was chosen, by what its choice looked at and nothing else."""

import numpy as np
import pytest

from pt4al.pipelines.report.pictures import _why
from pt4al.project.configuration.parsing import parse
from support.projects import tiny

REASON = {"id": "a", "score": 0.25, "place": 25, "places": 1000, "batch": 2, "pretext_loss": 1.38, "stands_for": 18}
STANDS = "it stands for 17 other unlabelled images that look most like it."


@pytest.mark.parametrize(
    ("query", "cycle", "score", "told"),
    [
        ({"start": "random"}, 0, np.nan, f"Drawn at random, as the first query is; {STANDS}"),
        ({"start": "random"}, 1, 0.25, f"Score 0.250; {STANDS}"),
        ({"start": "herding"}, 0, np.nan, f"It{STANDS.removeprefix('it')}"),
        ({"measure": "random"}, 2, 0.25, f"Drawn at random; {STANDS}"),
        ({"scope": "batch"}, 1, 0.25, f"Score 0.250; place 25 of 1,000 in batch 2 of the ranking; {STANDS}"),
    ],
)
def test_the_ranking_is_named_only_where_it_chose(query, cycle, score, told):
    settings = parse(tiny(query=query)).query
    assert _why(settings, cycle, REASON | {"score": score}) == told
    alone = _why(settings, cycle, REASON | {"score": score, "stands_for": 1})
    assert alone.endswith("t stands for itself alone: no other unlabelled image looks most like it.")
    assert ("batch" in told) == (settings.scope == "batch")
