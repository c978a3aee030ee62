"""The queue of images that people label: which comes next, and what happens to an answer."""

import json
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from time import monotonic
from typing import Any

import pandas as pd

from pt4al.annotation.aggregation import LABELLED, REVIEW, Policy, aggregate
from pt4al.annotation.class_names import SKIP, Names
from pt4al.annotation.grouping import Group, next_best, surest_group
from pt4al.annotation.log import DIGEST, Answer, AnswerLog, effective
from pt4al.annotation.progress import RELABEL, Progress, answers_since, measure_progress
from pt4al.errors import InputError, did_you_mean
from pt4al.text import normalised

LEASE = 60.0  # seconds for which an image in somebody's hands is not given to others
LEASE_EACH = 5.0  # seconds more for each image of a group
UPCOMING = 3  # images that a person will see next, the first of them now
EXAMPLES = 3  # images that show what a class means
LIKELY = 5  # classes that the page shows as the model's guesses
LONGEST = {"annotator": 100, "key": 64, "class": 200}  # characters
# Where people answered: one image at a time, or a group of them.
PAGE = "page"
GRID = "grid"
PART = ":"  # in the key of an answer to a group: between the group's key and the image's place
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
        self._excluded: dict[tuple[str, str], set[str]] = {}  # by annotator and image: classes
        self._history = answers_since(log.read(), query)
        self._before = set(self._history["key"])  # answers older than this queue
        self._aggregated = aggregate(self._history[self._history["id"].isin(self._ids)], policy)
        self._size = -1  # of the log when it was last read
        self._progress: Progress | None = None  # None: to be computed anew

    @property
    def guessed(self) -> bool:
        """Whether there are guesses of a model, of which groups can be made."""
        return bool(self._suggestions)

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
                self._hand(chosen[:1], annotator)
            return chosen

    def groups(self, annotator: str, size: int) -> list[Group]:
        """Return a group of images for a person to confirm, and the one likely to follow.

        A group's images are open, not answered by this person and not already given to enough
        others; those of the first count as given to this person now. Empty: no two images are left
        that the model takes for the same class.
        """
        with self._lock:
            mine = set(self._mine(annotator)["id"])
            answers = self._aggregated.set_index("id")["answers"].to_dict()
            guesses = {}
            for image in self.progress().open["id"]:
                if image in mine or not self._free(image, annotator, answers.get(image, 0)):
                    continue
                excluded = self._excluded.get((annotator, image), ())
                best = next_best(self._likely(image), excluded)
                if best is not None and best[0] in self.classes:
                    guesses[image] = best
            result = []
            while len(result) < 2 and (group := surest_group(guesses, size)) is not None:
                result.append(group)
                for image in group.images:
                    del guesses[image]
            if result:
                self._hand(result[0].images, annotator)
            return result

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
            own = standing[(standing["id"] == image) & (standing["annotator"] == annotator)]
            review = review and (self._state(image) == REVIEW or bool(own["review"].any()))
            answer = Answer(
                id=image,
                label=label,
                annotator=annotator,
                source=PAGE,
                key=key,
                seconds=seconds,
                review=review,
            )
            status = self._status(answer, standing)
            written = self._log.add([answer])
            self._leases.get(image, {}).pop(annotator, None)
            return status if written else self._again(answer)

    def confirm(
        self,
        images: Sequence[str],
        label: str | None,
        annotator: str,
        key: str,
        seconds: float = float("nan"),
        exceptions: Sequence[str] = (),
    ) -> dict[str, int]:
        """Store one answer, None for a skip, for each image of a group; see `answer`.

        Each is a line of its own in the log, of source `grid`; all are on disk when this returns.
        The same call again writes those that are not there yet: a process may have been killed
        between two lines.

        Parameters
        ----------
        seconds
            How long the group was looked at; shared out among the images.
        exceptions
            Images of the group that are something else: they stay open, and this person finds them
            in no other group of this class.

        Returns
        -------
        How many answers were `new`, `again`, `changed` or `late`.
        """
        self._check_text("annotator", annotator)
        self._check_text("key", key)
        for image in images:
            self._check(image, label, annotator, key)
        for image in exceptions:
            self._check(image, None, annotator, key)
        if len({*images, *exceptions}) < len(images) + len(exceptions):
            raise InputError("an image is twice in this group: answer each once")
        answers = [
            Answer(
                id=image,
                label=label,
                annotator=annotator,
                source=GRID,
                key=f"{key}{PART}{place}",
                seconds=seconds / len(images),
            )
            for place, image in enumerate(images)
        ]
        with self._lock:
            standing = self._standing()
            known = set(self._history["key"])
            statuses = [
                self._again(answer) if answer.key in known else self._status(answer, standing)
                for answer in answers
            ]
            self._log.add(answers)
            for image in (*images, *exceptions):
                self._leases.get(image, {}).pop(annotator, None)
            if label is not None:
                for image in exceptions:
                    self._excluded.setdefault((annotator, image), set()).add(label)
        return dict(Counter(statuses))

    def undo(self, annotator: str, key: str) -> str | None:
        """Retract a person's newest answer; return its image, None if there is none to retract.

        Of answers to a group all are retracted, and the first one's image is returned. The same key
        again retracts no second answer. Answers to earlier queries stay.
        """
        self._check_text("annotator", annotator)
        self._check_text("key", key)
        with self._lock:
            self._catch_up()
            done = self._retractions(key)
            if len(done):
                last = done["undoes"].iloc[0]  # a process may have been killed before the others
            else:
                mine = self._standing()
                mine = mine[(mine["annotator"] == annotator) & mine["source"].isin([PAGE, GRID])]
                mine = mine[mine["id"].isin(self._ids) | ~mine["key"].isin(self._before)]
                if mine.empty:
                    return None
                last = mine["key"].iloc[-1]
            together = self._together(last)
            retractions = []
            for row in together.itertuples():
                own = row.key.removeprefix(_shared(row.key)) if row.source == GRID else ""
                retraction = Answer(
                    id=row.id,
                    label=None,
                    annotator=annotator,
                    source=row.source,
                    key=key + own,
                    undoes=row.key,
                )
                retractions.append(retraction)
            self._log.add(retractions)
            self._hand(list(together["id"]), annotator)
            return together["id"].iloc[0]

    def retracted(self, key: str) -> tuple[list[str], str | None]:
        """Return the images whose answers an undo with this key took back, and their label."""
        with self._lock:
            self._catch_up()
            undone = self._history["key"].isin(self._retractions(key)["undoes"])
            rows = self._history[undone]
        return list(rows["id"]), _text(rows["label"].iloc[0]) if len(rows) else None

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

    def _hand(self, images: list[str], annotator: str) -> None:
        """Count these images, and no others, as given to a person."""
        for holders in self._leases.values():
            holders.pop(annotator, None)
        until = monotonic() + LEASE + LEASE_EACH * (len(images) - 1)
        for image in images:
            self._leases.setdefault(image, {})[annotator] = until

    def _state(self, image: str) -> str | None:
        states = self._aggregated["state"][self._aggregated["id"] == image]
        return next(iter(states), None)

    def _status(self, answer: Answer, standing: pd.DataFrame) -> str:
        """Return what an answer that is not in the log yet will be; see `answer`."""
        others = standing[standing["id"] == answer.id]
        if (others["annotator"] == answer.annotator).any():
            return CHANGED
        late = self._state(answer.id) == LABELLED and len(others) > 0
        return LATE if late and self._policy.annotators == 1 and not answer.review else NEW

    def _together(self, key: str) -> pd.DataFrame:
        """Return the answer with a key; of one to a group, all of that group."""
        answers = self._history[self._history["undoes"].isna()]
        row = answers[answers["key"] == key]
        if row["source"].iloc[0] != GRID:
            return row
        of_grids = answers["source"] == GRID
        return answers[of_grids & (answers["key"].map(_shared) == _shared(key))]

    def _retractions(self, key: str) -> pd.DataFrame:
        rows = self._history[self._history["undoes"].notna()]
        parts = (rows["source"] == GRID) & (rows["key"].map(_shared) == key)
        return rows[(rows["key"] == key) | parts]

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


def _shared(key: str) -> str:
    """Return what the keys of all answers to one group begin with."""
    return key.rpartition(PART)[0]


def _text(label: object) -> str | None:
    return label if isinstance(label, str) else None
