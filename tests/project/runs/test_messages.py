"""What a command says of its outputs."""

import logging
from types import SimpleNamespace

import pandas as pd
import pytest

from pt4al.project.runs.messages import tell
from support.projects import tiny


@pytest.mark.parametrize(("scope", "level"), [("batch", logging.WARNING), ("pool", logging.INFO)])
def test_an_alarm_of_a_ranking_that_chooses_nothing_is_no_warning(
    scope: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    checks = pd.DataFrame({"sentence": ["Chance.", "Fine."], "alarm": [True, False]})
    catalog = SimpleNamespace(load=lambda name: tiny(query={"scope": scope}))
    with caplog.at_level(logging.INFO, logger="pt4al"):
        tell("pretext_checks", checks, catalog)
    (record,) = caplog.records
    assert record.levelno == level
    assert ("which choose nothing here" in record.getMessage()) == (scope == "pool")


def test_a_newest_answer_that_counts_against_the_majority_is_warned_of(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    for facts in ({}, {"disputed": 17, "overruled": 0}):
        tell("agreement", facts, None)
    assert not caplog.messages
    tell("agreement", {"disputed": 17, "overruled": 13}, None)
    (message,) = caplog.messages
    assert message.startswith("labels: people differ on 17 images, and on 13 of these the newest answer counts")
