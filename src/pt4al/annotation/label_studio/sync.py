"""Label Studio (Community): push a query, pull answers; both at any time, and repeatedly."""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NotRequired
from xml.sax.saxutils import quoteattr

import pandas as pd
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from pt4al.annotation.label_studio.client import LabelStudio
from pt4al.annotation.label_studio.results import Labels, answers, image_of
from pt4al.annotation.log import AnswerLog
from pt4al.errors import InputError

CHUNK = 100  # tasks in one request
LARGEST = 32 * 2**20  # bytes of pictures in one request; a server takes 250 MB
PAGE = 200  # tasks in one answer
KEYS = 9  # classes that have a key of their own
TITLE = range(3, 51)  # characters that a project's title may have


class _Project(TypedDict):
    id: int
    title: str
    label_config: NotRequired[str | None]


class _Projects(TypedDict):
    results: list[_Project]
    next: NotRequired[str | None]


class _Task(TypedDict):
    id: int
    meta: NotRequired[Any]


class _Answered(_Task):
    annotations: list[dict[str, Any]]


class _Tasks(TypedDict):
    tasks: list[_Task]
    total: int


class _AnsweredTasks(_Tasks):
    tasks: list[_Answered]


class _Person(TypedDict):
    id: int
    email: str


class _Made(TypedDict):
    id: int


# The parts of the server's answers that are used.
PROJECTS, PEOPLE, MADE = map(TypeAdapter, (_Projects, list[_Person], _Made))
TASKS, ANSWERED = map(TypeAdapter, (_Tasks, _AnsweredTasks))


@dataclass(frozen=True)
class Project:
    """A project of Label Studio: what people see in it, and how many label each image.

    Attributes
    ----------
    title
        By which the project is found again.
    classes
        What they choose from; a class that is new is added to a project that exists.
    masks
        Whether people paint, or choose one class.
    annotators
        People who are to label each image.
    """

    title: str
    classes: list[str]
    masks: bool = False
    annotators: int = 1


@dataclass(frozen=True)
class Pushed:
    """What a push did: the `project`'s address, how many tasks are `new`, how many were `known`."""

    project: str
    new: int
    known: int


def push(
    server: LabelStudio,
    project: Project,
    images: pd.DataFrame,
    picture: Callable[[str], bytes],
    suggestions: pd.DataFrame | None = None,
) -> Pushed:
    """Add the images that a project lacks; a project that doesn't exist is made.

    Why an image was chosen isn't shown: that could sway people.

    Parameters
    ----------
    images
        `id`, in order.
    picture
        Returns an image's file by its id; it travels within the task.
    suggestions
        `id`, `label`, `probability`; shown as predictions.

    Raises
    ------
    InputError
        If the server refuses something, or can't be reached. Tasks that were added by then stay,
        and are not added again next time.
    """
    title = project.title
    if len(title) not in TITLE:
        raise InputError(f"title {title!r} has {len(title)} characters: Label Studio takes 3 to 50")
    server.check()
    number = _number(server, project)
    ids = list(dict.fromkeys(images["id"]))
    existing = {image_of(task) for task in _tasks(server, number, TASKS)}
    new = [image for image in ids if image not in existing]
    guesses = {}
    if suggestions is not None and not project.masks:
        guesses = suggestions.set_index("id").to_dict("index")
    for tasks in _chunks(_task(image, picture(image), guesses.get(image)) for image in new):
        server.post(f"/api/projects/{number}/import", tasks)
    return Pushed(f"{server.url}/projects/{number}/data", len(new), len(ids) - len(new))


def pull(
    server: LabelStudio,
    title: str,
    ids: Iterable[str],
    classes: list[str],
    log: AnswerLog,
    size: tuple[int, int] | None = None,
) -> tuple[int, pd.DataFrame]:
    """Add all annotations of a project to the log; known ones add nothing.

    Parameters
    ----------
    ids
        Images that may be answered.
    size
        Height and width that a mask must have.

    Returns
    -------
    new
        How many answers were added.
    problems
        `task`, `annotation`, `id`, `problem`, one row for each annotation that can't be used.

    Raises
    ------
    InputError
        If there is no such project, or the server can't be reached.
    """
    server.check()
    project = find(server, title)
    if project is None:
        raise InputError(
            f"Label Studio at {server.url} has no project {title!r}: push the query first"
        )
    people = {person["id"]: person["email"] for person in server.get("/api/users/", PEOPLE)}
    # All tasks are read before any answer is added.
    tasks = list(_tasks(server, project["id"], ANSWERED, fields="all"))
    labels = Labels(classes, log, _paints(project), size)
    new, problems = answers(tasks, people, set(ids), labels)
    return log.add(new), problems


def _number(server: LabelStudio, project: Project) -> int:
    """Return the number of a project on the server, after making it or bringing it up to date."""
    settings = {
        "label_config": _config(project.classes, project.masks),
        "maximum_annotations": project.annotators,
    }
    existing = find(server, project.title)
    if existing is None:
        return server.post("/api/projects/", {"title": project.title, **settings}, MADE)["id"]
    # A class has been added, say.
    if any(existing.get(name) != value for name, value in settings.items()):
        server.patch(f"/api/projects/{existing['id']}/", settings)
    return existing["id"]


def find(server: LabelStudio, title: str) -> dict | None:
    """Return the project of a title: `id`, `title`, `label_config`; None: there is none."""
    projects = server.listed("/api/projects/", PROJECTS)
    return next((project for project in projects if project["title"] == title), None)


def _tasks(server: LabelStudio, project: int, shape: TypeAdapter, **query: str) -> Iterator[dict]:
    """Yield a project's tasks without their pictures, which an export would include."""
    path = "/api/tasks/"
    page = 1
    read = 0
    seen: set[int] = set()
    while True:
        answer = server.get(
            path,
            shape,
            project=project,
            page=page,
            page_size=PAGE,
            omit="data,drafts,predictions",
            **query,
        )
        yield from answer["tasks"]
        page += 1
        read += len(answer["tasks"])
        if read >= answer["total"] or not answer["tasks"]:
            return
        seen = server.more(path, seen, answer["tasks"])


def _paints(project: dict) -> bool:
    return "<BrushLabels" in (project.get("label_config") or "")


def _config(classes: list[str], masks: bool) -> str:
    """Return the labelling form; choices stand above the image, which may be tall."""
    option = "Label" if masks else "Choice"
    options = ""
    for number, name in enumerate(classes, start=1):
        key = f' hotkey="{number}"' if number <= KEYS else ""
        options += f"<{option} value={quoteattr(name)}{key}/>"
    attributes = 'name="label" toName="image"'
    if masks:
        choose = f'<BrushLabels {attributes} showInline="true">{options}</BrushLabels>'
        width = ""
    else:
        attributes += ' choice="single"'
        choose = f'<Choices {attributes} showInline="true">{options}</Choices>'
        width = ' maxWidth="640px"'  # so that a square picture fits a screen
    search = ""
    if len(classes) > KEYS:
        search = '<Filter name="search" toName="label" minlength="0" placeholder="Search"/>'
    return f'<View>{search}{choose}<Image name="image" value="$image" zoom="true"{width}/></View>'


def _chunks(tasks: Iterable[dict]) -> Iterator[list[dict]]:
    chunk = []
    size = 0
    for task in tasks:
        weight = len(task["data"]["image"])
        if chunk and (len(chunk) == CHUNK or size + weight > LARGEST):
            yield chunk
            chunk = []
            size = 0
        chunk.append(task)
        size += weight
    if chunk:
        yield chunk


def _task(image: str, file: bytes, guess: dict | None) -> dict:
    kind = "png" if file.startswith(b"\x89PNG") else "jpeg"
    # The id in `data` is a column that people see; in `meta` it can be read without the picture.
    image_id = {"image_id": image}
    encoded = base64.b64encode(file).decode()
    task: dict[str, Any] = {
        "data": {"image": f"data:image/{kind};base64,{encoded}", **image_id},
        "meta": image_id,
    }
    if guess is not None:
        chosen = {
            "from_name": "label",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": [guess["label"]]},
        }
        score = float(guess["probability"])
        task["predictions"] = [{"model_version": "pt4al", "score": score, "result": [chosen]}]
    return task
