"""Annotations of Label Studio as answers, and the problems of those that can't be used."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NotRequired

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from pt4al.annotation.class_names import Names, printable
from pt4al.annotation.label_studio.brush import decode
from pt4al.annotation.log import Answer, AnswerLog
from pt4al.annotation.server import describe
from pt4al.errors import InputError
from pt4al.masks import IGNORED, LARGEST, encode


class _Who(TypedDict):
    id: int


class _Value(TypedDict):
    choices: NotRequired[list[str]]
    brushlabels: NotRequired[list[str]]
    rle: NotRequired[list[int]]


class _Part(TypedDict):
    type: NotRequired[str]
    value: NotRequired[_Value]
    original_height: NotRequired[Any]
    original_width: NotRequired[Any]


class _Annotation(TypedDict):
    id: int
    completed_by: int | _Who | None
    was_cancelled: bool
    result: list[_Part]
    updated_at: str
    lead_time: NotRequired[Any]


ANNOTATION = TypeAdapter(_Annotation)


def answers(
    tasks: Iterable[dict], people: dict[int, str], ids: set[str], labels: "Labels"
) -> tuple[list[Answer], pd.DataFrame]:
    """Read the annotations of tasks.

    Parameters
    ----------
    tasks
        As Label Studio returns or exports them.
    people
        Names by number; a person without a name is `user <number>`.
    ids
        Images that may be answered.

    Returns
    -------
    answers
        Oldest first.
    problems
        `task`, `annotation`, `id`, `problem`, one row for each annotation that can't be used.
    """
    results = []
    problems = []
    for task in tasks:
        image = image_of(task)
        for annotation in task["annotations"]:
            try:
                results.append(_answer(annotation, image, people, ids, labels))
            except InputError as error:
                place = (task.get("id"), annotation.get("id"))
                problems.append((*place, printable(image), printable(error)))
    results.sort(key=lambda answer: answer.at)
    return results, pd.DataFrame(problems, columns=["task", "annotation", "id", "problem"])


def image_of(task: dict) -> str | None:
    """Return the id of a task's image; None if the task was not made by `push`."""
    meta = task.get("meta")
    image = meta.get("image_id") if isinstance(meta, dict) else None
    return image if isinstance(image, str) else None


def _answer(
    annotation: dict, image: str | None, people: dict[int, str], ids: set[str], labels: "Labels"
) -> Answer:
    if image not in ids:
        raise InputError(f"image id {image!r} is not in this run's queries")
    try:
        ANNOTATION.validate_python(annotation, strict=True)
    except ValidationError as error:
        raise InputError(f"is not as Label Studio writes them: {describe(error)}") from None
    who = annotation["completed_by"]
    seconds = annotation.get("lead_time")
    who = who["id"] if isinstance(who, dict) else who
    measured = isinstance(seconds, int | float) and 0 <= seconds < 1e9
    return Answer(
        id=image,
        # By the flag: a choice made before skipping may still be there.
        label=None if annotation["was_cancelled"] else labels.read(annotation["result"]),
        annotator=people.get(who, f"user {who}"),
        source="label_studio",
        key=f"label_studio:{annotation['id']}:{annotation['updated_at']}",
        at=annotation["updated_at"],
        seconds=float(seconds) if measured else float("nan"),
    )


@dataclass(frozen=True)
class Labels:
    """Makes labels of what people have chosen or painted.

    Attributes
    ----------
    log
        Stores the masks.
    masks
        Whether a label is a mask.
    size
        Height and width that a mask must have; None: those of the picture that was painted on.
    """

    classes: list[str]
    log: AnswerLog
    masks: bool = False
    size: tuple[int, int] | None = None

    def read(self, result: list[dict]) -> str:
        """Return the label that an annotation's `result` stands for.

        Raises
        ------
        InputError
            If it stands for none.
        """
        if self.masks:
            brushes = [part for part in result if part.get("type") == "brushlabels"]
            return self.log.keep_mask(self._mask(brushes))
        choices = [part for part in result if part.get("type") == "choices"]
        names = [name for part in choices for name in part.get("value", {}).get("choices", [])]
        return self._name(names)

    @cached_property
    def _names(self) -> Names:
        return Names(self.classes)

    def _name(self, chosen: list[str]) -> str:
        if len(chosen) != 1:
            names = f" ({', '.join(map(repr, chosen))})" if chosen else ""
            raise InputError(f"{len(chosen)} classes{names} were chosen: one was expected")
        name = self._names.find(chosen[0])
        if name is None:
            raise InputError(f"label {chosen[0]!r:.300} is no class: {self._names.hint(chosen[0])}")
        return name

    def _mask(self, brushes: list[dict]) -> bytes:
        """Paint the regions one over the other; return the mask as a PNG file."""
        if not brushes:
            raise InputError("nothing is painted: skip an image that shows none of the classes")
        height = brushes[0].get("original_height")
        width = brushes[0].get("original_width")
        whole = all(type(side) is int and side > 0 for side in (height, width))
        if not whole or height * width > LARGEST:
            raise InputError(f"says nothing of its picture's size: {height!r:.20} x {width!r:.20}")
        if self.size is not None and (height, width) != self.size:
            raise InputError(
                f"was painted on a picture of {height} x {width} pixels, but the pool's have "
                f"{self.size[0]} x {self.size[1]}: was this task made by `push`?"
            )
        regions = [self._region(brush, height, width) for brush in brushes]
        mask = np.full((height, width), IGNORED, np.uint8)
        for painted, number in regions:
            mask[painted] = number
        if (mask == IGNORED).all():
            raise InputError(
                "what is painted covers no pixel by half: zoom in, or take a wider brush"
            )
        return encode(mask)

    def _region(self, brush: dict, height: int, width: int) -> tuple[np.ndarray, int]:
        value = brush.get("value", {})
        number = self.classes.index(self._name(value.get("brushlabels", [])))
        return decode(value.get("rle", []), height, width), number
