"""The oracle of people: what they have answered so far, if it is enough to go on with."""

from datetime import datetime

import pandas as pd

from pt4al.annotation.aggregation import LABELLED, Policy, settle
from pt4al.annotation.log import AnswerLog, stand_for_masks
from pt4al.annotation.progress import assign, enough
from pt4al.errors import InputError

CORRECTION = "correction"  # role of an answer that gives an image another label than it had
ASKED = ["id", "cycle", "role", "state"]


class People:
    """Answers from a log that people write to, whenever they like."""

    def __init__(self, log: AnswerLog, policy: Policy):
        self._log = log
        self._policy = policy

    def label(
        self,
        query: pd.DataFrame,
        label_set: pd.DataFrame,
        asked: pd.DataFrame,
        cycle: int,
        share: float = 1.0,
        after: datetime | None = None,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the answers to a query, and what has been asked so far.

        Parameters
        ----------
        query
            As `assignment.assign` takes it.
        label_set
            `id`, `label` of the images that had a label before this query.
        asked
            What this returned for the cycle before.
        share, after
            See `assignment.enough`.

        Returns
        -------
        answers
            `id`, `label`, `role`: those to this query, those to earlier ones that came late, and
            labels that were corrected since (role `correction`).
        asked
            `id`, `cycle` (of the query), `role`, `state` (missing: nobody has answered).

        Raises
        ------
        InputError
            If there are too few answers.
        """
        settled = settle(self._log.read(), self._policy)
        progress = assign(query, settled, self._policy)
        if not enough(progress, share, after):
            raise InputError(f"cycle {cycle}: {progress}, which is too few to go on with")
        states = settled.set_index("id")["state"]
        asked = pd.concat([asked, progress.images.assign(cycle=cycle)[ASKED]], ignore_index=True)
        asked = asked.assign(state=asked["id"].map(states).astype("str"))
        new = asked[(asked["state"] == LABELLED) & ~asked["id"].isin(label_set["id"])]
        answers = new[["id", "role"]].merge(settled[["id", "label"]], on="id")
        return pd.concat(
            [self._whole(answers), self._corrections(settled, label_set)], ignore_index=True
        ), asked

    def _corrections(self, settled: pd.DataFrame, label_set: pd.DataFrame) -> pd.DataFrame:
        again = settled[(settled["state"] == LABELLED) & settled["id"].isin(label_set["id"])]
        newest = self._whole(again[["id", "label"]].assign(role=CORRECTION))
        return newest[newest["label"] != newest["id"].map(label_set.set_index("id")["label"])]

    def _whole(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Put masks where labels stand for them."""
        stands = stand_for_masks(answers["label"])
        if not stands.any():
            return answers
        return answers.assign(
            label=pd.Series([self._log.mask(label) for label in answers["label"]], answers.index)
        )


def none_asked() -> pd.DataFrame:
    """Return what has been asked before the first query."""
    return pd.DataFrame(columns=ASKED).astype(
        {"cycle": "int64"} | dict.fromkeys(("id", "role", "state"), "str")
    )
