"""The desk at which people label: which image comes next, and what becomes of an answer. No page, no network."""

import re
import threading
import time
import unicodedata
from collections.abc import Callable
from itertools import islice
from typing import Any

import pandas as pd

from pt4al.annotation.aggregation import LABELLED, REVIEW, Policy, settle
from pt4al.annotation.class_names import SKIP, Names
from pt4al.annotation.log import DIGEST, Answer, AnswerLog, effective
from pt4al.annotation.progress import Progress, assign
from pt4al.errors import InputError, did_you_mean
from pt4al.text import normalised

LEASE = 60.0  # seconds for which an image that was handed out is not handed to somebody else
LONGEST = {"annotator": 100, "key": 64, "class": 200}  # characters
# what becomes of an answer
NEW = "new"
AGAIN = "again"
CHANGED = "changed"
LATE = "late"


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
        add_class: Callable[[str], None] | None = None,
    ):
        """Set up.

        Parameters
        ----------
        query
            As `assignment.assign` takes it.
        suggestions
            `id`, `label`, `probability`: what a model takes images for.
        earlier
            `id`, `label` (missing: nobody has answered): images of earlier queries, which may be
            given another label.
        clock
            Seconds, for leases.
        add_class
            Called with the name of a class that a person adds, before it is known here; None:
            nobody may add one.
        """
        self._log = log
        self._query = query
        self._policy = policy
        self.classes = list(classes)
        self._suggestions = (
            {} if suggestions is None else suggestions.set_index("id").to_dict("index")
        )
        labels = [] if earlier is None else zip(earlier["id"], earlier["label"], strict=True)
        self._earlier = {image: _text(label) for image, label in labels}
        self._ids = set(query["id"])
        self._clock = clock
        self._lock = threading.RLock()
        self._add_class = add_class
        self._leases: dict[str, dict[str, float]] = {}  # by image and annotator: until when
        self._history = log.read()
        self._before = set(self._history["key"])  # answers older than this desk
        self._settled = settle(self._history[self._history["id"].isin(self._ids)], policy)
        self._size = -1  # of the log when it was read last
        self._progress: Progress | None = None  # by what was read

    @property
    def growing(self) -> bool:
        """Whether a person may add a class."""
        return self._add_class is not None

    def knows(self, image: str) -> bool:
        """Return whether an image is this desk's to show and to take answers for."""
        return image in self._ids or image in self._earlier

    def progress(self) -> Progress:
        """Return how far the query is answered."""
        with self._lock:
            self._catch_up()
            if self._progress is None:
                self._progress = assign(self._query, self._settled, self._policy)
            return self._progress

    def next(self, annotator: str) -> str | None:
        """Return the next image for somebody: open, not answered by them, and not in enough other hands already."""
        return next(iter(self.upcoming(annotator)), None)

    def upcoming(self, annotator: str) -> list[str]:
        """Return the next image for somebody, which is now in their hands, and the one that is likely to follow."""
        with self._lock:
            mine = set(self._mine(annotator)["id"])
            left = [image for image in self.progress().open["id"] if image not in mine]
            given = self._settled.set_index("id")["answers"].to_dict()
            free = (image for image in left if self._wanted(image, annotator, given.get(image, 0)))
            # Where all that is left is in others' hands, better twice than never.
            chosen = list(dict.fromkeys([*islice(free, 2), *left[:2]]))[:2]
            if chosen:
                self._lend(chosen[0], annotator)
            return chosen

    def disputed(self) -> list[dict[str, Any]]:
        """Return the images that people disagree on: `id`, `said` (annotator, label)."""
        with self._lock:
            images = self.progress().images
            history = self._standing().drop_duplicates(["id", "annotator"], keep="last")
        ids = images["id"][images["state"] == REVIEW]
        said = dict(list(history[history["id"].isin(ids)].groupby("id")))
        return [
            {
                "id": image,
                "said": [
                    {"annotator": row.annotator, "label": _text(row.label)}
                    for row in said[image].itertuples()
                ],
            }
            for image in ids
        ]

    def facts(self, image: str, annotator: str) -> dict[str, Any]:
        """Return what the page shows of an image: the model's suggestion, and the label that it has, if any."""
        with self._lock:
            mine = self._mine(annotator)
        own = mine["label"][mine["id"] == image]
        before = self._earlier.get(image)
        label = own.iloc[-1] if len(own) else before
        return {
            "id": image,
            "suggestion": self._suggestions.get(image),
            "answered": len(own) > 0 or before is not None,
            "earlier": before is not None,
            "label": _text(label),
        }

    def answered(self, annotator: str) -> list[str]:
        """Return the images that somebody may look back at: those of earlier queries, then what they answered here."""
        with self._lock:
            mine = self._mine(annotator)["id"]
        before = [
            image
            for image, label in self._earlier.items()
            if label is not None and image not in self._ids
        ]
        return [*before, *mine[mine.isin(self._ids)]]

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

        Parameters
        ----------
        review
            It settles the image; heeded only where people disagree, or where this person has
            settled it before.

        Returns
        -------
        `new`; `again`: this very answer is known; `changed`: it replaces one of the same person;
        `late`: somebody else has answered meanwhile, and this is kept too.

        Raises
        ------
        InputError
            If the image is none of the query, the label no class, a name too long, or the key
            another answer's.
        """
        self._check(image, label, annotator, key)
        with self._lock:
            standing = self._standing()
            state = next(iter(self._settled["state"][self._settled["id"] == image]), None)
            standing = standing[standing["id"] == image]
            own = standing[standing["annotator"] == annotator]
            review = review and (state == REVIEW or bool(own["review"].any()))
            answer = Answer(
                id=image,
                label=label,
                annotator=annotator,
                source="page",
                key=key,
                seconds=seconds,
                review=review,
            )
            written = self._log.add([answer])
            self._leases.get(image, {}).pop(annotator, None)
            if not written:
                return self._known(answer)
        if len(own):
            return CHANGED
        return (
            LATE
            if state == LABELLED and len(standing) and self._policy.annotators == 1 and not review
            else NEW
        )

    def undo(self, annotator: str, key: str) -> str | None:
        """Take somebody's newest answer back; return its image, None if there is nothing to take back.

        The same key again takes back no second answer. Answers to earlier queries stay.
        """
        self._check_text("annotator", annotator)
        self._check_text("key", key)
        with self._lock:
            self._catch_up()
            done = self._history[self._history["key"] == key]
            if len(done):
                return done["id"].iloc[0]
            mine = self._standing()
            mine = mine[(mine["annotator"] == annotator) & (mine["source"] == "page")]
            mine = mine[mine["id"].isin(self._ids) | ~mine["key"].isin(self._before)]
            if mine.empty:
                return None
            image = mine["id"].iloc[-1]
            last = mine["key"].iloc[-1]
            self._log.add(
                [
                    Answer(
                        id=image,
                        label=None,
                        annotator=annotator,
                        source="page",
                        key=key,
                        undoes=last,
                    )
                ]
            )
            self._lend(image, annotator)
            return image

    def add_class(self, name: str) -> str:
        """Add a class; return its name in one spelling, without blanks around it. One that is there stays.

        Raises
        ------
        InputError
            If classes can't be added here, the name means something else, or there is one that
            looks like it.
        """
        if self._add_class is None:
            raise InputError(
                f"class {name!r:.100} can't be added here: the classes of this run are fixed"
            )
        name = normalised(name) if isinstance(name, str) else name
        self._check_text("class", name)
        if name == SKIP or re.fullmatch(DIGEST, name):
            raise InputError(
                f"class {name!r:.100} would be taken for {'a skip' if name == SKIP else 'a mask'}"
            )
        with self._lock:
            names = Names(self.classes)
            same = names.find(name)
            alike = names.alike(name)
            if same is not None:  # added just now, say, by a request whose answer was lost
                return same
            if alike is not None:
                raise InputError(f"class {name!r:.100} looks like one that is there: {alike!r}")
            self._add_class(name)
            self.classes = [*self.classes, name]
        return name

    def _catch_up(self) -> None:
        """Read the log if it has grown, and settle anew the images that the new answers are about."""
        size = self._log.path.stat().st_size if self._log.path.exists() else 0
        if size == self._size:
            return
        known = len(self._history)
        self._history = self._log.read()
        self._size = size
        self._progress = None
        new = self._history.iloc[known:]
        undone = self._history["key"].isin(new["undoes"].dropna())
        touched = (set(new["id"]) | set(self._history["id"][undone])) & self._ids
        fresh = settle(self._history[self._history["id"].isin(touched)], self._policy)
        self._settled = pd.concat(
            [self._settled[~self._settled["id"].isin(touched)], fresh], ignore_index=True
        )

    def _standing(self) -> pd.DataFrame:
        self._catch_up()
        return effective(self._history)

    def _mine(self, annotator: str) -> pd.DataFrame:
        standing = self._standing()
        mine = standing[
            (standing["annotator"] == annotator) & standing["id"].map(self.knows).astype(bool)
        ]
        return mine.drop_duplicates("id", keep="last")

    def _wanted(self, image: str, annotator: str, given: int) -> bool:
        """Return whether an image needs more answers than it has and is about to get from others."""
        holders = self._leases.get(image, {})
        others = sum(until >= self._clock() for name, until in holders.items() if name != annotator)
        return given + others < self._policy.annotators

    def _lend(self, image: str, annotator: str) -> None:
        self._leases.setdefault(image, {})[annotator] = self._clock() + LEASE

    def _known(self, answer: Answer) -> str:
        """Return that an answer is known; its key must not stand for another one."""
        self._catch_up()
        row = self._history[self._history["key"] == answer.key].iloc[0]
        if (row["id"], _text(row["label"]), row["annotator"]) != (
            answer.id,
            answer.label,
            answer.annotator,
        ):
            raise InputError(
                f"key {answer.key!r} is that of the answer to {row['id']!r:.100}: use a new one"
            )
        return AGAIN

    def _check(self, image: str, label: str | None, annotator: str, key: str) -> None:
        self._check_text("annotator", annotator)
        self._check_text("key", key)
        if not self.knows(image):
            raise InputError(f"image {image!r:.100} is not in this query of {len(self._query)}")
        if label is not None and label not in self.classes:
            raise InputError(f"{label!r:.100} is no class: {did_you_mean(label, self.classes)}")

    @staticmethod
    def _check_text(what: str, text: str) -> None:
        """Refuse what can't be kept: half a surrogate pair, say, is no text, and no table could hold it."""
        fits = isinstance(text, str) and text.strip() and len(text) <= LONGEST[what]
        if not fits or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text):
            right = f"text of 1 to {LONGEST[what]} characters, none of them a control character"
            raise InputError(f"`{what}` is {text!r:.100}: it must be {right}")


def _text(label: object) -> str | None:
    return label if isinstance(label, str) else None
