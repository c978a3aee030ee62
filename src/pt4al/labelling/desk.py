"""The desk at which people label: which image comes next, and what becomes of an answer. No page, no network."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pandas as pd

from pt4al.errors import InputError, did_you_mean
from pt4al.labelling.answers import Answer, AnswerLog, effective
from pt4al.labelling.assignment import Progress, assign
from pt4al.labelling.policies import LABELLED, REVIEW, Policy, settle

LEASE = 60.0  # seconds for which an image that was handed out is not handed to somebody else
LONGEST = {"annotator": 100, "key": 64, "class": 200}  # characters


class Desk:
    """Hands out the images of one query and takes in answers. Safe for several threads."""

    def __init__(
        self,
        log: AnswerLog,
        query: pd.DataFrame,
        policy: Policy,
        classes: list[str],
        suggestions: pd.DataFrame | None = None,
        earlier: pd.DataFrame | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        """Set up.

        Parameters
        ----------
        query
            As `assignment.assign` takes it.
        suggestions
            `id`, `label`, `probability`: what a model takes images for.
        earlier
            `id`, `label`: images of earlier queries, which may be given another label.
        """
        self._log, self._query, self._policy, self.classes = log, query, policy, list(classes)
        self._suggestions = {} if suggestions is None else suggestions.set_index("id").to_dict("index")
        self._earlier = set() if earlier is None else set(earlier["id"])
        self._ids = set(query["id"])
        self._clock, self._lock = clock, threading.RLock()
        self._leases: dict[str, tuple[str, float]] = {}

    def knows(self, image: str) -> bool:
        """Return whether an image is this desk's to show and to take answers for."""
        return image in self._ids or image in self._earlier

    def progress(self) -> Progress:
        """Return how far the query is answered."""
        return assign(self._query, settle(self._log.read(), self._policy), self._policy)

    def next(self, annotator: str) -> str | None:
        """Return the next image for somebody: open, not answered by them, and not in somebody else's hands."""
        with self._lock:
            mine = set(self._mine(annotator)["id"])
            left = [image for image in self.progress().open["id"] if image not in mine]
            free = [image for image in left if self._free(image, annotator)]
            # Where all that is left is in others' hands, better twice than never.
            chosen = next(iter(free or left), None)
            if chosen is not None:
                self._leases[chosen] = annotator, self._clock() + LEASE
            return chosen

    def disputed(self) -> list[dict[str, Any]]:
        """Return the images that people disagree on: `id`, `said` (annotator, label)."""
        images = self.progress().images
        history = effective(self._log.read())
        history = history.drop_duplicates(["id", "annotator"], keep="last")
        said = dict(list(history.groupby("id")))
        return [
            {
                "id": image,
                "said": [{"annotator": row.annotator, "label": _text(row.label)} for row in said[image].itertuples()],
            }
            for image in images["id"][images["state"] == REVIEW]
        ]

    def facts(self, image: str, annotator: str) -> dict[str, Any]:
        """Return what the page shows of an image: the model's suggestion, and the person's own answer if any."""
        mine = self._mine(annotator)
        own = mine[mine["id"] == image]
        found = {"id": image, "suggestion": self._suggestions.get(image), "answered": len(own) > 0}
        return found | {"label": _text(own["label"].iloc[-1]) if len(own) else None}

    def answered(self, annotator: str) -> list[str]:
        """Return the images that somebody has answered, oldest first."""
        return list(self._mine(annotator)["id"])

    def answer(
        self,
        image: str,
        label: str | None,
        annotator: str,
        key: str,
        seconds: float = float("nan"),
        review: bool = False,
    ) -> str:
        """Take in an answer, None for a skip; it is on disk when this returns.

        Returns
        -------
        `new`; `again`: this very answer is known; `late`: somebody else has answered meanwhile, and this is kept too.

        Raises
        ------
        InputError
            If the image is none of the query, the label no class, or a name too long.
        """
        self._check(image, label, annotator, key)
        with self._lock:
            state = self.progress().images.set_index("id")["state"].get(image)
            others = set(effective(self._log.read()).query("id == @image")["annotator"]) - {annotator}
            written = self._log.add(
                [
                    Answer(
                        id=image,
                        label=label,
                        annotator=annotator,
                        source="page",
                        key=key,
                        seconds=seconds,
                        review=review,
                    )
                ]
            )
            self._leases.pop(image, None)
        if not written:
            return "again"
        return "late" if state == LABELLED and others and self._policy.annotators == 1 and not review else "new"

    def undo(self, annotator: str, key: str) -> str | None:
        """Take somebody's newest answer back; return its image, None if there is nothing to take back."""
        self._check_name(annotator, key)
        with self._lock:
            mine = effective(self._log.read()).query("annotator == @annotator and source == 'page'")
            mine = mine[mine["id"].isin(self._ids)]
            if mine.empty:
                return None
            last = mine.iloc[-1]
            self._log.add(
                [Answer(id=last["id"], label=None, annotator=annotator, source="page", key=key, undoes=last["key"])]
            )
            self._leases[last["id"]] = annotator, self._clock() + LEASE
            return last["id"]

    def _mine(self, annotator: str) -> pd.DataFrame:
        standing = effective(self._log.read()).query("annotator == @annotator")
        return standing[standing["id"].isin(self._ids)].drop_duplicates("id", keep="last")

    def _free(self, image: str, annotator: str) -> bool:
        if self._policy.annotators > 1:
            return True
        holder, until = self._leases.get(image, (annotator, 0.0))
        return holder == annotator or until < self._clock()

    def _check(self, image: str, label: str | None, annotator: str, key: str) -> None:
        self._check_name(annotator, key)
        if not self.knows(image):
            raise InputError(f"image {image!r:.100} is not in this query of {len(self._query)}")
        if label is not None and label not in self.classes:
            raise InputError(f"{label!r:.100} is no class: {did_you_mean(label, self.classes)}")

    def _check_name(self, annotator: str, key: str) -> None:
        for what, text in (("annotator", annotator), ("key", key)):
            if not isinstance(text, str) or not text.strip() or len(text) > LONGEST[what]:
                raise InputError(f"`{what}` is {text!r:.100}: it must be text of 1 to {LONGEST[what]} characters")


def _text(label: object) -> str | None:
    return None if pd.isna(label) else str(label)
