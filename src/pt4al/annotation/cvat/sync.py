"""CVAT (2.x): push a query, pull answers; both at any time, and repeatedly."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NotRequired

import pandas as pd
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from pt4al.annotation.cvat.client import Cvat
from pt4al.annotation.cvat.results import (
    Labels,
    Work,
    answers,
    digest,
    digest_of,
    file_name,
    people_jobs,
)
from pt4al.annotation.log import AnswerLog
from pt4al.errors import InputError

JOB = 50  # pictures in a job, which one person finishes
NAME = 64  # characters that a label may have
TITLE = 256  # characters that a project's name may have


class _Project(TypedDict):
    id: int
    name: str


class _Label(TypedDict):
    id: int
    name: str
    type: NotRequired[str | None]


class _Task(TypedDict):
    id: int
    name: str
    size: NotRequired[int | None]


class _Person(TypedDict):
    username: str


class _Job(TypedDict):
    id: int
    task_id: int
    type: str
    state: str
    start_frame: int
    stop_frame: int
    updated_date: str
    assignee: NotRequired[_Person | None]


class _Projects(TypedDict):
    results: list[_Project]
    next: NotRequired[str | None]


class _Labels(TypedDict):
    results: list[_Label]
    next: NotRequired[str | None]


class _Tasks(TypedDict):
    results: list[_Task]
    next: NotRequired[str | None]


class _Jobs(TypedDict):
    results: list[_Job]
    next: NotRequired[str | None]


class _Frame(TypedDict):
    name: str
    width: int
    height: int


class _Meta(TypedDict):
    frames: list[_Frame] | None
    deleted_frames: list[int]


class _Tag(TypedDict):
    frame: int
    label_id: int


class _Shape(TypedDict):
    frame: int
    label_id: int
    type: str
    points: NotRequired[list[float]]
    z_order: NotRequired[int]


class _Annotations(TypedDict):
    tags: list[_Tag]
    shapes: list[_Shape]


class _Made(TypedDict):
    id: int


# The parts of the server's answers that are used.
PROJECTS, LABELS, TASKS, JOBS = map(TypeAdapter, (_Projects, _Labels, _Tasks, _Jobs))
META, ANNOTATIONS, MADE = map(TypeAdapter, (_Meta, _Annotations, _Made))


@dataclass(frozen=True)
class Project:
    """A project of CVAT: what people choose from, and how many label each image.

    Attributes
    ----------
    title
        By which the project is found again.
    classes
        What they choose from; a class that is new is added to a project that exists.
    masks
        Whether people paint, or tag each picture with one class.
    annotators
        People who are to label each image: each job has so many replicas, if there are several.
    """

    title: str
    classes: list[str]
    masks: bool = False
    annotators: int = 1

    @property
    def kind(self) -> Literal["mask", "tag"]:
        """The type of its labels."""
        return "mask" if self.masks else "tag"


@dataclass(frozen=True)
class Pushed:
    """What a push did: the `project`'s address, how many images are `new`, and were `known`."""

    project: str
    new: int
    known: int


def push(
    server: Cvat, project: Project, images: pd.DataFrame, picture: Callable[[str], bytes]
) -> Pushed:
    """Add the images that a project lacks as one new task; a project that doesn't exist is made.

    Parameters
    ----------
    images
        `id`, in order; perhaps `again`: the cycle in which an image, which has an answer, is asked
        for once more (0: it isn't), so that it is shown anew.
    picture
        Returns an image's file by its id.

    Raises
    ------
    InputError
        If the server refuses something, or can't be reached. A task that did not get all its
        pictures is removed again.
    """
    _check(project)
    server.check()
    number = _number(server, project)
    tasks = list(server.listed("/api/tasks", TASKS, project_id=number))
    existing = {name for task in tasks for name in _digests(server, task, project.title)}
    again = images["again"] if "again" in images else [0] * len(images)
    asked = dict(zip(images["id"], again, strict=True))
    new = {image: again for image, again in asked.items() if digest(image, again) not in existing}
    if new:
        task = {
            "name": f"{project.title} {len(tasks) + 1}",
            "project_id": number,
            "segment_size": JOB,
            "overlap": 0,
        }
        if project.annotators > 1:
            task["consensus_replicas"] = project.annotators
        _make_task(server, task, new, picture)
    return Pushed(f"{server.url}/projects/{number}", len(new), len(asked) - len(new))


def pull(
    server: Cvat,
    project: Project,
    ids: Iterable[str],
    log: AnswerLog,
    size: tuple[int, int] | None = None,
    cycles: int = 1,
) -> tuple[int, pd.DataFrame]:
    """Add what finished jobs say to the log; what it knows adds nothing.

    A frame that people have removed is skipped. A job that was opened again and changed is read
    anew when it is finished: the newest answer of each job counts.

    Parameters
    ----------
    ids
        Images that may be answered.
    size
        Height and width that a mask must have.
    cycles
        Number of cycles so far; see `answers`.

    Returns
    -------
    new
        How many answers were added.
    problems
        `task`, `job`, `id`, `problem`, one row for each picture that can't be used.

    Raises
    ------
    InputError
        If there is no such project, or the server can't be reached.
    """
    server.check()
    existing = _find(server, project.title)
    if existing is None:
        raise InputError(
            f"CVAT at {server.url} has no project {project.title!r}: push the query first"
        )
    numbers = {label["id"]: label["name"] for label in _labels(server, existing["id"])}
    # All jobs are read before any answer is added.
    works = list(_finished(server, existing["id"]))
    labels = Labels(project.classes, numbers, log, project.masks, size)
    new, problems = answers(works, ids, labels, cycles)
    return log.add(new), problems


def _check(project: Project) -> None:
    """Raise InputError for names that CVAT would refuse."""
    if not 0 < len(project.title) <= TITLE:
        raise InputError(
            f"title {project.title!r:.80} has {len(project.title)} characters: "
            f"CVAT takes up to {TITLE}"
        )
    for name in project.classes:
        if len(name) > NAME:
            raise InputError(f"class {name!r} has {len(name)} characters: CVAT takes up to {NAME}")


def _number(server: Cvat, project: Project) -> int:
    """Return the number of a project on the server, after making it or adding classes."""
    existing = _find(server, project.title)
    if existing is None:
        labels = [{"name": name, "type": project.kind} for name in project.classes]
        body = {"name": project.title, "labels": labels}
        return server.post("/api/projects", body, MADE)["id"]
    number = existing["id"]
    types = {label["name"]: label.get("type") for label in _labels(server, number)}
    for name in project.classes:
        if types.get(name, project.kind) not in (project.kind, "any", None):
            raise InputError(
                f"label {name!r} of CVAT's project {project.title!r} is for {types[name]!r:.40}, "
                f"not for {project.kind!r}: rename that project, or give the run another name"
            )
    missing = [name for name in project.classes if name not in types]
    if missing:
        labels = [{"name": name, "type": project.kind} for name in missing]
        server.patch(f"/api/projects/{number}", {"labels": labels})
    return number


def _find(server: Cvat, title: str) -> dict | None:
    projects = server.listed("/api/projects", PROJECTS, name=title)
    return next((project for project in projects if project["name"] == title), None)


def _labels(server: Cvat, project: int) -> Iterator[dict]:
    return server.listed("/api/labels", LABELS, project_id=project)


def _digests(server: Cvat, task: dict, title: str) -> set[str]:
    """Return what stands for the images of a task."""
    if not task.get("size"):
        if task["name"].startswith(title):
            raise InputError(
                f"task {task['name']!r:.300} has no pictures yet: wait until CVAT has made them "
                f"ready, or delete it at {server.url}/tasks/{task['id']}"
            )
        return set()
    return {name for name in map(digest_of, _meta(server, task)["frames"] or []) if name}


def _meta(server: Cvat, task: dict) -> dict[str, Any]:
    return server.get(f"/api/tasks/{task['id']}/data/meta", META)


def _make_task(
    server: Cvat, task: dict, images: dict[str, int], picture: Callable[[str], bytes]
) -> None:
    number = server.post("/api/tasks", task, MADE)["id"]
    contents = ((image, picture(image)) for image in images)
    files = (
        (file_name(position, image, images[image], content), content)
        for position, (image, content) in enumerate(contents)
    )
    try:
        server.upload(number, files)
    except BaseException:
        # Half a task would be in the way of the next push.
        _remove(server, number)
        raise


def _remove(server: Cvat, task: int) -> None:
    # Why there is no task was the first error; the next push names what is left of it.
    with suppress(InputError):
        server.remove(f"/api/tasks/{task}")


def _finished(server: Cvat, project: int) -> Iterator[Work]:
    """Yield what finished jobs hold."""
    for task in server.listed("/api/tasks", TASKS, project_id=project):
        jobs = list(server.listed("/api/jobs", JOBS, task_id=task["id"]))
        done = [job for job in people_jobs(jobs) if job["state"] == "completed"]
        if not done:
            continue
        meta = _meta(server, task)
        for job in done:
            annotations = server.get(f"/api/jobs/{job['id']}/annotations/", ANNOTATIONS)
            yield Work(job, annotations, meta["frames"] or [], set(meta["deleted_frames"]))
