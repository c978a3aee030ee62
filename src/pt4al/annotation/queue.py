"""The queue of images that people label: which comes next, and what happens to an answer."""

import json
import re
import threading
import unicodedata
from collections.abc import Callable
from itertools import islice
from time import monotonic
from typing import Any

import pandas as pd

from pt4al.annotation.aggregation import LABELLED, REVIEW, Policy, aggregate
from pt4al.annotation.class_names import SKIP, Names
from pt4al.annotation.log import DIGEST, Answer, AnswerLog, effective
from pt4al.annotation.progress import RELABEL, Progress, answers_since, measure_progress
from pt4al.errors import InputError, did_you_mean
from pt4al.text import normalised

LEASE = 60.0  # seconds for which an image in somebody's hands is not given to others
UPCOMING = 3  # images that a person will see next, the first of them now
EXAMPLES = 3  # images that show what a class means
LIKELY = 5  # classes that the page shows as the model's guesses
LONGEST = {"annotator": 100, "key": 64, "class": 200}  # characters
# What happened to an answer.
NEW = "new"
AGAIN = "again"
CHANGED = "changed"
LATE = "late"


class AnnotationQueue:
    """Hands out the images of one query and takes in answers; safe for several threads."""

    def __init__(
        self,
        log: AnswerLog,
        query: pd.DataFrame,
        policy: Policy,
        classes: list[str],
        suggestions: pd.DataFrame | None = None,
        earlier: pd.DataFrame | None = None,
        add_class: Callable[[str], None] | None = None,
    ):
        """Set up.

        Parameters
        ----------
        query
            As `progress.progress_of` takes it.
        suggestions
            `id`, `label`, `probability`: a model's guesses; `likely`, if it is there: JSON of the
            most likely classes, a list of [class, probability]. Of images whose labels are asked
            for again, `suggested` and `near`: what they may be, and JSON of the ids of similar
            images that are called so.
        earlier
            `id`, `label` (missing: nobody has answered): images of earlier queries, whose labels
            may be changed.
        add_class
            Called with the name of a class that a person adds, before the queue takes it; None:
            classes are fixed.
        """
        self._log = log
        self._query = query
        self._policy = policy
        self.classes = list(classes)
        self._suggestions: dict[str, dict] = {}
        if suggestions is not None:
            self._suggestions = suggestions.set_index("id").to_dict("index")
        self._earlier: dict[str, str | None] = {}
        if earlier is not None:
            labels = [_text(label) for label in earlier["label"]]
            self._earlier = dict(zip(earlier["id"], labels, strict=True))
        self._ids = set(query["id"])
        self._doubted: dict[str, str | None] = {}  # labels that are asked for again
        if "answers_before" in query:
            for image in query["id"][query["role"] == RELABEL]:
                self._doubted[image] = self._earlier.pop(image, None)
        self._lock = threading.RLock()
        self._add_class = add_class
        self._leases: dict[str, dict[str, float]] = {}  # by image and annotator: until when
        self._history = answers_since(log.read(), query)
        self._before = set(self._history["key"])  # answers older than this queue
        self._aggregated = aggregate(self._history[self._history["id"].isin(self._ids)], policy)
        self._size = -1  # of the log when it was last read
        self._progress: Progress | None = None  # None: to be computed anew

    @property
    def growing(self) -> bool:
        """Whether a person may add a class."""
        return self._add_class is not None

    def knows(self, image: str) -> bool:
        """Return whether an image may be shown and answered here."""
        return image in self._ids or image in self._earlier

    def progress(self) -> Progress:
        """Return how far the query is answered."""
        with self._lock:
            self._catch_up()
            if self._progress is None:
                self._progress = measure_progress(self._query, self._aggregated, self._policy)
            return self._progress

    def upcoming(self, annotator: str) -> list[str]:
        """Return the next image for a person, and those that are likely to follow.

        The next is open, not answered by this person and not already given to enough others; it
        counts as given to this person now.
        """
        with self._lock:
            mine = set(self._mine(annotator)["id"])
            left = [image for image in self.progress().open["id"] if image not in mine]
            answers = self._aggregated.set_index("id")["answers"].to_dict()
            free = (image for image in left if self._free(image, annotator, answers.get(image, 0)))
            # Where others have all that is left, better twice than never.
            chosen = list(dict.fromkeys([*islice(free, UPCOMING), *left[:UPCOMING]]))[:UPCOMING]
            if chosen:
                self._lend(chosen[0], annotator)
            return chosen

    def disputed(self) -> list[dict[str, Any]]:
        """Return the images that people disagree on: `id`, `said` (annotator, label)."""
        with self._lock:
            images = self.progress().images
            history = self._standing().drop_duplicates(["id", "annotator"], keep="last")
        result = []
        for image in images["id"][images["state"] == REVIEW]:
            answers = history[history["id"] == image]
            said = [
                {"annotator": row.annotator, "label": _text(row.label)}
                for row in answers.itertuples()
            ]
            result.append({"id": image, "said": said})
        return result

    def facts(self, image: str, annotator: str) -> dict[str, Any]:
        """Return what the page shows of an image: the model's guesses, and its label, if any.

        Where a label is asked for again, also `again`: the `label`, what is `suggested` (perhaps
        None), and ids of images `near` that are called so.
        """
        with self._lock:
            mine = self._mine(annotator)
        own = mine["label"][mine["id"] == image]
        before = self._earlier.get(image)
        label = own.iloc[-1] if len(own) else before
        facts = {
            "id": image,
            "likely": self._likely(image),
            "answered": len(own) > 0 or before is not None,
            "earlier": before is not None,
            "label": _text(label),
        }
        return facts | {"again": self._doubts(image)} if image in self._doubted else facts

    def answered(self, annotator: str) -> list[str]:
        """Return the images that a person may go back to: of earlier queries, then of this one."""
        with self._lock:
            mine = self._mine(annotator)["id"]
        before = [
            image
            for image, label in self._earlier.items()
            if label is not None and image not in self._ids
        ]
        return [*before, *mine[mine.isin(self._ids)]]

    def overview(self, annotator: str) -> list[dict[str, Any]]:
        """Return a person's labels of this and earlier queries: `id`, `label` (None: skipped)."""
        with self._lock:
            mine = self._mine(annotator)
        return [{"id": row.id, "label": _text(row.label)} for row in mine.itertuples()]

    def examples(self, label: str) -> list[str]:
        """Return up to three images that have a label, of earlier queries first."""
        with self._lock:
            standing = self._standing()
        newest = standing.drop_duplicates("id", keep="last").set_index("id")["label"]
        labels = self._earlier | {image: _text(said) for image, said in newest.items()}
        return list(islice((image for image in labels if labels[image] == label), EXAMPLES))

    def answer(
        self,
        image: str,
        label: str | None,
        annotator: str,
        key: str,
        seconds: float = float("nan"),
        review: bool = False,
    ) -> str:
        """Store an answer, None for a skip; it is on disk when this returns.

        Parameters
        ----------
        review
            The answer is final; heeded only where people disagree, or where this person has
            reviewed the image before.

        Returns
        -------
        `new`; `again`: this very answer is known; `changed`: it replaces one of the same person;
        `late`: somebody else has answered meanwhile, and this is kept too.

        Raises
        ------
        InputError
            If the image is not in the query, the label no class, a name too long, or the key that
            of another answer.
        """
        self._check(image, label, annotator, key)
        with self._lock:
            standing = self._standing()
            states = self._aggregated["state"][self._aggregated["id"] == image]
            state = next(iter(states), None)
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
                return self._again(answer)
        if len(own):
            return CHANGED
        late = state == LABELLED and len(standing) > 0
        return LATE if late and self._policy.annotators == 1 and not review else NEW

    def undo(self, annotator: str, key: str) -> str | None:
        """Retract a person's newest answer; return its image, None if there is none to retract.

        The same key again retracts no second answer. Answers to earlier queries stay.
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
            retraction = Answer(
                id=image, label=None, annotator=annotator, source="page", key=key, undoes=last
            )
            self._log.add([retraction])
            self._lend(image, annotator)
            return image

    def add_class(self, name: str) -> str:
        """Add a class; return its name as `normalised` spells it. An existing class stays.

        Raises
        ------
        InputError
            If the classes are fixed, the name means something else, or a class looks like it.
        """
        if self._add_class is None:
            raise InputError(
                f"class {name!r:.100} can't be added here: the classes of this run are fixed"
            )
        name = normalised(name) if isinstance(name, str) else name
        self._check_text("class", name)
        if name == SKIP or re.fullmatch(DIGEST, name):
            meaning = "a skip" if name == SKIP else "a mask"
            raise InputError(f"class {name!r:.100} would be taken for {meaning}")
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
        """Read the log if it has grown, and aggregate the images that new answers are about."""
        size = self._log.path.stat().st_size if self._log.path.exists() else 0
        if size == self._size:
            return
        before = len(self._history)
        self._history = answers_since(self._log.read(), self._query)
        self._size = size
        self._progress = None
        new = self._history.iloc[before:]
        undone = self._history["key"].isin(new["undoes"].dropna())
        touched = (set(new["id"]) | set(self._history["id"][undone])) & self._ids
        fresh = aggregate(self._history[self._history["id"].isin(touched)], self._policy)
        unchanged = self._aggregated[~self._aggregated["id"].isin(touched)]
        self._aggregated = pd.concat([unchanged, fresh], ignore_index=True)

    def _standing(self) -> pd.DataFrame:
        self._catch_up()
        return effective(self._history)

    def _mine(self, annotator: str) -> pd.DataFrame:
        standing = self._standing()
        shown = standing["id"].map(self.knows).astype(bool)
        mine = standing[(standing["annotator"] == annotator) & shown]
        return mine.drop_duplicates("id", keep="last")

    def _likely(self, image: str) -> list[list[Any]]:
        """Return a model's guesses, [class, probability], most likely first."""
        suggestion = self._suggestions.get(image)
        if suggestion is None:
            return []
        likely = suggestion.get("likely")
        if not isinstance(likely, str):
            return [[suggestion["label"], float(suggestion["probability"])]]
        return [[label, float(probability)] for label, probability in json.loads(likely)[:LIKELY]]

    def _doubts(self, image: str) -> dict[str, Any]:
        facts = self._suggestions.get(image, {})
        near = _text(facts.get("near"))
        return {
            "label": self._doubted[image],
            "suggested": _text(facts.get("suggested")),
            "near": [] if near is None else json.loads(near),
        }

    def _free(self, image: str, annotator: str, answers: int) -> bool:
        """Return whether an image needs more answers than it has and will get from others."""
        holders = self._leases.get(image, {})
        others = sum(until >= monotonic() for name, until in holders.items() if name != annotator)
        return answers + others < self._policy.annotators

    def _lend(self, image: str, annotator: str) -> None:
        self._leases.setdefault(image, {})[annotator] = monotonic() + LEASE

    def _again(self, answer: Answer) -> str:
        """Return AGAIN for an answer whose key is in the log, if the log holds that very answer."""
        history = self._log.read()  # the key may be that of an answer to an earlier query
        row = history[history["key"] == answer.key].iloc[0]
        logged = (row["id"], _text(row["label"]), row["annotator"])
        if logged != (answer.id, answer.label, answer.annotator):
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
        """Refuse text that can't be stored: no table could hold half a surrogate pair, say."""
        fits = isinstance(text, str) and text.strip() and len(text) <= LONGEST[what]
        if not fits or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text):
            right = f"text of 1 to {LONGEST[what]} characters, none of them a control character"
            raise InputError(f"`{what}` is {text!r:.100}: it must be {right}")


def _text(label: object) -> str | None:
    return label if isinstance(label, str) else None
