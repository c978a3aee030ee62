"""Aggregate the answers of several people, given at several times, into one label an image."""

from dataclasses import dataclass

import pandas as pd

from pt4al.annotation.log import effective

LABELLED = "labelled"
SKIPPED = "skipped"
REVIEW = "review"
WAITING = "waiting"
COLUMNS = ["id", "state", "label", "answers"]


@dataclass(frozen=True)
class Policy:
    """How answers become labels.

    Attributes
    ----------
    annotators
        Different people that must answer before an image has a label.
    disagreement
        `latest`: the newest answer counts. `majority`: what most people say; a tie goes to review.
        `consensus`: all must say the same, else it goes to review. A review's answer is final.
    skipped
        `replace`: the next best image takes the place of one that is skipped. `leave_out`: nothing
        does.
    """

    annotators: int = 1
    disagreement: str = "latest"
    skipped: str = "replace"


def aggregate(history: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Return the state and the label of each image that somebody has answered.

    Parameters
    ----------
    history
        As `AnswerLog.read` returns it. Each annotator's newest answer on an image counts.

    Returns
    -------
    `id`, `state` (labelled, skipped; review: people disagree; waiting: too few have answered),
    `label` (missing unless labelled), `answers` (how many people have), in the order of the first
    answers.
    """
    standing = effective(history)
    newest = standing.drop_duplicates(["id", "annotator"], keep="last")
    rows = []
    for image, answers in newest.groupby("id", sort=False):
        label, state = _verdict(answers, policy)
        rows.append({"id": image, "state": state, "label": label, "answers": len(answers)})
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.astype({"id": "str", "state": "str", "label": "str", "answers": "int64"})


def _verdict(answers: pd.DataFrame, policy: Policy) -> tuple[str | None, str]:
    """Return label and state of an image, by each person's newest answer."""
    reviews = answers[answers["review"]]
    if len(reviews):
        return _answered(reviews["label"].iloc[-1])
    if len(answers) < policy.annotators:
        return None, WAITING
    if policy.disagreement == "latest":
        return _answered(answers["label"].iloc[-1])
    votes = answers["label"].value_counts(dropna=False)
    if policy.disagreement == "consensus":
        agreed = len(votes) == 1
    else:
        agreed = (votes == votes.iloc[0]).sum() == 1
    return _answered(votes.index[0]) if agreed else (None, REVIEW)


def _answered(label: str | None) -> tuple[str | None, str]:
    return (None, SKIPPED) if pd.isna(label) else (label, LABELLED)
