"""Finished jobs of CVAT as answers, and the problems of pictures that can't be used."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pt4al.annotation.class_names import Names, printable
from pt4al.annotation.cvat.rle import decode
from pt4al.annotation.log import Answer, AnswerLog
from pt4al.errors import InputError
from pt4al.masks import IGNORED, LARGEST, encode

REPLICAS = ("consensus_replica", "replica")  # types of jobs that do the same pictures again
DIGITS = 20  # of an image id's digest in a file's name
DIGEST = re.compile(rf"-([0-9a-f]{{{DIGITS}}})\.\w+$")
COLUMNS = ["task", "job", "id", "problem"]


def digest(image: str, again: int = 0) -> str:
    """Return what stands for an image in names of files: ids may hold any character.

    Parameters
    ----------
    again
        Cycle in which the image, which has an answer, is asked for once more; 0: it is not.
    """
    text = f"{image}\0{again}" if again else image
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def file_name(position: int, image: str, again: int, content: bytes) -> str:
    """Return the name under which CVAT shows a picture; names sort by position."""
    kind = "png" if content.startswith(b"\x89PNG") else "jpg"
    readable = re.sub(r"[^A-Za-z0-9]+", "_", image)[-40:].strip("_")
    return f"{position:06d}-{readable}-{digest(image, again)}.{kind}"


def digest_of(frame: dict) -> str | None:
    """Return the digest in a frame's name; None if `push` has not made it."""
    match = DIGEST.search(frame["name"])
    return match[1] if match else None


def people_jobs(jobs: list[dict]) -> list[dict]:
    """Return the jobs that people answer, each picture once a person.

    A job that has replicas is left out: CVAT merges what the replicas say in there.
    """
    replicas = [job for job in jobs if job["type"] in REPLICAS]
    return replicas or [job for job in jobs if job["type"] == "annotation"]


@dataclass(frozen=True)
class Labels:
    """Makes labels of what people have tagged or painted.

    Attributes
    ----------
    numbers
        Names of CVAT's labels, by their number there.
    log
        Stores the masks.
    masks
        Whether a label is a mask.
    size
        Height and width that a mask must have; None: those of the picture that was painted on.
    """

    classes: list[str]
    numbers: dict[int, str]
    log: AnswerLog
    masks: bool = False
    size: tuple[int, int] | None = None

    def read(self, tags: list[dict], shapes: list[dict], frame: dict) -> str:
        """Return the label of a picture.

        Raises
        ------
        InputError
            If it has none, or one that can't be used.
        """
        if self.masks:
            return self.log.keep_mask(self._mask(shapes, frame["height"], frame["width"]))
        names = dict.fromkeys(self._name(tag["label_id"]) for tag in tags)
        if len(names) != 1:
            chosen = f" ({', '.join(map(repr, names))})" if names else ""
            raise InputError(
                f"{len(names)} classes{chosen} were chosen: one was expected, "
                "or remove the frame to skip it"
            )
        return next(iter(names))

    @cached_property
    def _names(self) -> Names:
        return Names(self.classes)

    def _name(self, number: int) -> str:
        written = self.numbers.get(number)
        name = self._names.find(written)
        if name is None:
            raise InputError(f"label {written!r:.300} is no class: {self._names.hint(written)}")
        return name

    def _mask(self, shapes: list[dict], height: int, width: int) -> bytes:
        """Paint the masks one over the other; return all as a PNG file."""
        if not shapes:
            raise InputError("nothing is painted: remove the frame to skip it")
        if not 0 < height * width <= LARGEST:
            raise InputError(f"has a picture of {height} x {width} pixels")
        if self.size is not None and (height, width) != self.size:
            raise InputError(
                f"was painted on a picture of {height} x {width} pixels, but the pool's have "
                f"{self.size[0]} x {self.size[1]}: was this task made by `push`?"
            )
        mask = np.full((height, width), IGNORED, np.uint8)
        for shape in sorted(shapes, key=lambda shape: shape.get("z_order", 0)):
            if shape["type"] != "mask":
                raise InputError(f"has a {shape['type']!r:.40}: only masks can be read")
            number = self.classes.index(self._name(shape["label_id"]))
            mask[decode(shape["points"], height, width)] = number
        if (mask == IGNORED).all():
            raise InputError("what is painted covers no pixel: remove the frame to skip it")
        return encode(mask)


@dataclass(frozen=True)
class Work:
    """A finished job: what it holds, and of which pictures.

    Attributes
    ----------
    job
        As CVAT describes it.
    annotations
        Its `tags` and `shapes`, by number of the frame.
    frames
        Name and size of each picture of its task.
    removed
        Numbers of frames that were removed, which skips them.
    """

    job: dict
    annotations: dict
    frames: list[dict]
    removed: set[int]

    @property
    def annotator(self) -> str:
        """Name of the person that the job is assigned to, or of the job."""
        assignee = self.job.get("assignee")
        return assignee["username"] if assignee else f"CVAT job {self.job['id']}"

    def pictures(self) -> Iterable[tuple[int, dict]]:
        """Yield number and description of the job's frames."""
        last = min(self.job["stop_frame"], len(self.frames) - 1)
        for number in range(max(self.job["start_frame"], 0), last + 1):
            yield number, self.frames[number]


def answers(
    works: Iterable[Work], ids: Iterable[str], labels: Labels, cycles: int = 1
) -> tuple[list[Answer], pd.DataFrame]:
    """Read finished jobs.

    Parameters
    ----------
    ids
        Images that may be answered.
    cycles
        Number of cycles so far, in each of which an image may have been asked for again.

    Returns
    -------
    answers
        Oldest first; without those that the log holds already as a job's last on a picture.
    problems
        `task`, `job`, `id`, `problem`, one row for each picture that can't be used.
    """
    images = {digest(image, again): image for image in ids for again in range(cycles)}
    last = _last_labels(labels.log)
    results = []
    problems = []
    for work in works:
        for number, frame in work.pictures():
            image = images.get(digest_of(frame) or "")
            try:
                if image is None:
                    raise InputError(f"picture {frame['name']!r:.200} is not in this run's queries")
                answer = _answer(work, number, image, labels)
                if last.get(_place(answer.key), "") != answer.label:
                    results.append(answer)
            except InputError as error:
                row = (work.job["task_id"], work.job["id"], printable(image), printable(error))
                problems.append(row)
    results.sort(key=lambda answer: answer.at)
    return results, pd.DataFrame(problems, columns=COLUMNS)


def _answer(work: Work, number: int, image: str, labels: Labels) -> Answer:
    job = work.job
    label = None
    if number not in work.removed:
        tags = _of(work.annotations, "tags", number)
        shapes = _of(work.annotations, "shapes", number)
        label = labels.read(tags, shapes, work.frames[number])
    return Answer(
        id=image,
        label=label,
        annotator=work.annotator,
        source="cvat",
        key=f"cvat:{job['id']}:{number}:{job['updated_date']}:{digest(label or '')}",
        at=job["updated_date"],
    )


def _of(annotations: dict, kind: str, number: int) -> list[dict[str, Any]]:
    return [part for part in annotations[kind] if part["frame"] == number]


def _last_labels(log: AnswerLog) -> dict[str, str | None]:
    """Return what each job has said last on each picture, as far as the log knows."""
    table = log.read()
    table = table[table["source"] == "cvat"]
    labels = (None if pd.isna(label) else label for label in table["label"])
    return {_place(key): label for key, label in zip(table["key"], labels, strict=True)}


def _place(key: str) -> str:
    """Return job and frame of an answer, by its key."""
    return ":".join(key.split(":")[:3])
