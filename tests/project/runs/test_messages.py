"""What a command says of what it has saved."""

import logging

import pytest

from pt4al.project.runs.messages import tell


def test_a_newest_answer_that_counts_against_the_majority_is_warned_of(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    for facts in ({}, {"disputed": 17, "overruled": 0}):
        tell("agreement", facts, None)
    assert not caplog.messages
    tell("agreement", {"disputed": 17, "overruled": 13}, None)
    (message,) = caplog.messages
    assert message.startswith("labels: people differ on 17 images, and on 13 of these the newest answer counts")
