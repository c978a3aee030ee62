"""What people have said in Label Studio, as answers; and, of each annotation that can't be used, why."""

import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from PIL import Image

from pt4al.errors import InputError, did_you_mean
from pt4al.labelling.answers import Answer, AnswerLog
from pt4al.labelling.brush import decode

IGNORED = 255  # in masks: nobody has painted there


def answers(
    tasks: Iterable[dict], people: dict[int, str], ids: set[str], labels: "Labels"
) -> tuple[list[Answer], pd.DataFrame]:
    """Read the annotations of tasks.

    Parameters
    ----------
    tasks
        As Label Studio returns or exports them.
    people
        Names by number; an unknown number stays one.
    ids
        Of the images that answers may be about.

    Returns
    -------
    found
        Oldest first.
    problems
        `task`, `annotation`, `id`, `problem`, one row for each annotation that can't be used.
    """
    found, problems = [], []
    for task in tasks:
        for annotation in task["annotations"]:
            try:
                found.append(_answer(annotation, image_of(task), people, ids, labels))
            except InputError as error:
                problems.append((task["id"], annotation["id"], str(image_of(task)), str(error)))
    found.sort(key=lambda answer: answer.at)
    return found, pd.DataFrame(problems, columns=["task", "annotation", "id", "problem"])


def image_of(task: dict) -> str | None:
    """Return the id of a task's image; None: the task is not one of ours."""
    return (task.get("meta") or {}).get("image_id")


def _answer(annotation: dict, image: str | None, people: dict[int, str], ids: set[str], labels: "Labels") -> Answer:
    if image not in ids:
        raise InputError(f"image id {image!r} is not in this run's queries")
    who = annotation["completed_by"]
    who = who["id"] if isinstance(who, dict) else who
    return Answer(
        id=image,
        # By the flag: what was chosen before skipping may still be there.
        label=None if annotation["was_cancelled"] else labels.read(annotation["result"]),
        annotator=people.get(who, f"user {who}"),
        source="label_studio",
        key=f"label_studio:{annotation['id']}:{annotation['updated_at']}",
        at=annotation["updated_at"],
        seconds=float("nan" if annotation.get("lead_time") is None else annotation["lead_time"]),
    )


@dataclass(frozen=True)
class Labels:
    """Makes labels of what people have chosen, or painted.

    Attributes
    ----------
    log
        Keeps the masks.
    masks
        Whether a label is a mask.
    size
        Height and width that a mask must have; None: those of the picture it was painted on.
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
        kind = "brushlabels" if self.masks else "choices"
        parts = [part for part in result if part.get("type") == kind]
        if self.masks:
            return self.log.keep_mask(self._mask(parts))
        return self._name([name for part in parts for name in part.get("value", {}).get("choices", [])])

    def _name(self, named: list[str]) -> str:
        if len(named) != 1:
            told = f" ({', '.join(map(repr, named))})" if named else ""
            raise InputError(f"{len(named)} classes{told} were chosen: one was expected")
        if named[0] not in self.classes:
            raise InputError(f"label {named[0]!r} is no class: {did_you_mean(named[0], self.classes)}")
        return named[0]

    def _mask(self, brushes: list[dict]) -> bytes:
        """Paint the regions one over the other; return the mask as a PNG file."""
        if not brushes:
            raise InputError("nothing is painted: skip an image that shows none of the classes")
        height, width = (brushes[0].get(f"original_{side}") for side in ("height", "width"))
        if not (isinstance(height, int) and isinstance(width, int)):
            raise InputError(f"says nothing of its picture's size: {height!r} x {width!r}")
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
            raise InputError("what is painted covers no pixel by half: zoom in, or take a wider brush")
        file = io.BytesIO()
        Image.fromarray(mask).save(file, "PNG")
        return file.getvalue()

    def _region(self, brush: dict, height: int, width: int) -> tuple[np.ndarray, int]:
        value = brush.get("value", {})
        number = self.classes.index(self._name(value.get("brushlabels", [])))
        return decode(value.get("rle", []), height, width), number
