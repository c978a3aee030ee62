"""The oracle that asks people: their answers so far, if there are enough to resume a run."""

from datetime import datetime

import pandas as pd

from pt4al.annotation.aggregation import LABELLED, Policy, aggregate
from pt4al.annotation.log import AnswerLog, stand_for_masks
from pt4al.annotation.progress import enough, progress_of
from pt4al.errors import InputError

CORRECTION = "correction"  # role of an answer that gives an image another label than it had
ASKED = ["id", "cycle", "role", "state"]


class HumanOracle:
    """Answers a query from the log that people write to, at any time."""

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
            As `progress.progress_of` takes it.
        label_set
            `id`, `label` of the images that had a label before this query.
        asked
            The second result of the cycle before; `none_asked()` in the first.
        share, after
            See `progress.enough`.

        Returns
        -------
        answers
            `id`, `label`, `role`: answers to this query, late answers to earlier queries, and
            labels that were corrected since (role `correction`).
        asked
            `id`, `cycle` (of the query), `role`, `state` (missing: nobody has answered).

        Raises
        ------
        InputError
            If there are too few answers.
        """
        history = self._log.read()
        aggregated = aggregate(history, self._policy)
        progress = progress_of(query, history, self._policy)
        if not enough(progress, share, after):
            raise InputError(f"cycle {cycle}: {progress}, which is too few to go on with")
        asked = pd.concat([asked, progress.images.assign(cycle=cycle)[ASKED]], ignore_index=True)
        states = aggregated.set_index("id")["state"]
        asked = asked.assign(state=asked["id"].map(states).astype("str"))
        new = asked[(asked["state"] == LABELLED) & ~asked["id"].isin(label_set["id"])]
        answers = new[["id", "role"]].merge(aggregated[["id", "label"]], on="id")
        corrections = self._corrections(aggregated, label_set)
        return pd.concat([self._with_masks(answers), corrections], ignore_index=True), asked

    def _corrections(self, aggregated: pd.DataFrame, label_set: pd.DataFrame) -> pd.DataFrame:
        labelled = (aggregated["state"] == LABELLED) & aggregated["id"].isin(label_set["id"])
        again = aggregated[labelled]
        newest = self._with_masks(again[["id", "label"]].assign(role=CORRECTION))
        return newest[newest["label"] != newest["id"].map(label_set.set_index("id")["label"])]

    def _with_masks(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Replace labels that stand for masks by the masks."""
        if not stand_for_masks(answers["label"]).any():
            return answers
        masks = [self._log.mask(label) for label in answers["label"]]
        return answers.assign(label=pd.Series(masks, answers.index))


def none_asked() -> pd.DataFrame:
    """Return what has been asked before the first query."""
    return pd.DataFrame(columns=ASKED).astype(
        {"cycle": "int64"} | dict.fromkeys(("id", "role", "state"), "str")
    )
