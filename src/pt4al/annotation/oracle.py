"""The oracle that asks people: their answers so far, if there are enough to resume a run."""

from datetime import datetime

import pandas as pd

from pt4al.annotation.aggregation import LABELLED, Policy, aggregate
from pt4al.annotation.log import AnswerLog, stand_for_masks
from pt4al.annotation.progress import RELABEL, answers_since, enough, progress_of
from pt4al.errors import InputError

CORRECTION = "correction"  # role of an answer that gives an image another label than it had
ASKED = ["id", "cycle", "role", "state", "answers_before"]


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
            `id`, `cycle` (of the query), `role`, `state` (missing: nobody has answered) and
            `answers_before`, as `progress.answers_since` takes it.

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
        now = progress.images.assign(cycle=cycle, answers_before=_before(progress.images, query))
        asked = pd.concat([asked, now[ASKED]], ignore_index=True)
        # Runs of older versions have no such column.
        asked["answers_before"] = asked["answers_before"].fillna(0).astype("int64")
        asked = asked.assign(state=self._states(asked, aggregated, history))
        new = asked[(asked["state"] == LABELLED) & ~asked["id"].isin(label_set["id"])]
        answers = new[["id", "role"]].merge(aggregated[["id", "label"]], on="id")
        corrections = self._corrections(aggregated, label_set)
        return pd.concat([self._with_masks(answers), corrections], ignore_index=True), asked

    def _states(
        self, asked: pd.DataFrame, aggregated: pd.DataFrame, history: pd.DataFrame
    ) -> pd.Series:
        """Return the state of each image that was asked for; of labels asked for again, since then."""
        states = asked["id"].map(aggregated.set_index("id")["state"])
        again = asked[asked["role"] == RELABEL]
        if again.empty:
            return states.astype("str")
        since = answers_since(history[history["id"].isin(again["id"])], again)
        newest = aggregate(since, self._policy).set_index("id")["state"]
        states.loc[again.index] = again["id"].map(newest).astype("str")
        return states.astype("str")

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
    numbers = dict.fromkeys(("cycle", "answers_before"), "int64")
    texts = dict.fromkeys(("id", "role", "state"), "str")
    return pd.DataFrame(columns=ASKED).astype(numbers | texts)


def labels_given(label_set: pd.DataFrame, asked: pd.DataFrame | None) -> int:
    """Return how many labels were given: those of the label set, and those given once more.

    Parameters
    ----------
    asked
        `role`, `state` of what people were asked so far; None where nobody was.
    """
    if asked is None:
        return len(label_set)
    again = (asked["role"] == RELABEL) & (asked["state"] == LABELLED)
    return len(label_set) + int(again.sum())


def _before(images: pd.DataFrame, query: pd.DataFrame) -> pd.Series | int:
    """Return how many lines of the log on each image are older than a query."""
    if "answers_before" not in query:
        return 0
    return images["id"].map(query.set_index("id")["answers_before"])
