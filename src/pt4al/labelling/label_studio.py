"""Label Studio (Community) by plain HTTP: push a query, pull answers. Both may be done at any time, and again."""

import base64
import io
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd
import requests
from PIL import Image

from pt4al.errors import InputError
from pt4al.labelling.answers import Answer, AnswerLog
from pt4al.labelling.brush import decode

CHUNK = 50  # tasks in one request
PATIENCE = 60  # seconds
VALID = 240  # seconds that an access token is used for; it is valid for 300
LEGACY = re.compile(r"[0-9a-f]{40}")
IGNORED = 255  # in masks: nobody has painted there


class LabelStudio:
    """A server, and the right to talk to it. The token is in no message of ours."""

    def __init__(self, url: str, token: str):
        """Take the server's address, and either kind of token: the old one, or what an account's page gives people."""
        self.url, self._token = url.rstrip("/"), token.strip()
        self._access, self._until = "", 0.0
        self._session = requests.Session()

    def __repr__(self) -> str:
        return f"LabelStudio({self.url!r})"

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: Any, **query: Any) -> Any:
        return self._ask("POST", path, json=body, params=query)

    def patch(self, path: str, body: Any) -> Any:
        return self._ask("PATCH", path, json=body)

    def _ask(self, method: str, path: str, **kwargs: Any) -> Any:
        headers = {"Authorization": self._authorization()}
        return self._send(method, path, headers=headers, **kwargs)

    def _authorization(self) -> str:
        if LEGACY.fullmatch(self._token):
            return f"Token {self._token}"
        if time.monotonic() > self._until:
            self._access = self._send("POST", "/api/token/refresh/", json={"refresh": self._token})["access"]
            self._until = time.monotonic() + VALID
        return f"Bearer {self._access}"

    def _send(self, method: str, path: str, **kwargs: Any) -> Any:
        try:
            reply = self._session.request(method, self.url + path, timeout=PATIENCE, allow_redirects=False, **kwargs)
        except requests.RequestException as error:
            why = type(error).__name__
            raise InputError(f"Label Studio at {self.url} can't be reached ({why}): is it running there?") from None
        if reply.status_code in (401, 403):
            raise InputError(
                f"Label Studio at {self.url} refuses the token (status {reply.status_code}): is it current?"
            )
        if not reply.ok or reply.is_redirect:
            raise InputError(
                f"Label Studio at {self.url}: {method} {path} gave status {reply.status_code}: {reply.text[:300]}"
            )
        try:
            return reply.json()
        except ValueError:
            raise InputError(f"{self.url}{path} does not answer as Label Studio does: is the address right?") from None


@dataclass(frozen=True)
class Pushed:
    """What a push did: tasks that are `new`, tasks that were there."""

    project: str
    new: int
    known: int


def push(
    server: LabelStudio,
    title: str,
    images: pd.DataFrame,
    picture: Callable[[str], bytes],
    classes: list[str],
    masks: bool,
    suggestions: pd.DataFrame | None = None,
    annotators: int = 1,
) -> Pushed:
    """Put the images that are not there yet into the project of that title, which is made if there is none.

    Nobody is told why an image was chosen: that could sway them.

    Parameters
    ----------
    images
        `id`, in order.
    picture
        Returns an image's file by its id; it travels within the task.
    suggestions
        `id`, `label`, `probability`; shown as predictions.
    annotators
        People who are to label each image.
    """
    project = _project(server, title, classes, masks, annotators)
    known = {task["data"].get("image_id") for task in _tasks(server, project)}
    new = [image for image in images["id"] if image not in known]
    guesses = {} if suggestions is None or masks else suggestions.set_index("id").to_dict("index")
    for first in range(0, len(new), CHUNK):
        tasks = [_task(image, picture(image), guesses.get(image)) for image in new[first : first + CHUNK]]
        server.post(f"/api/projects/{project}/import", tasks)
    return Pushed(f"{server.url}/projects/{project}/data", len(new), len(images) - len(new))


def pull(
    server: LabelStudio, title: str, ids: Iterable[str], classes: list[str], log: AnswerLog
) -> tuple[int, pd.DataFrame]:
    """Take in all annotations of the project of that title; one that is known adds nothing.

    Returns
    -------
    new
        How many answers were added.
    problems
        `task`, `annotation`, `id`, `problem`, one row for each annotation that can't be used.
    """
    project = _find(server, title)
    if project is None:
        raise InputError(f"Label Studio at {server.url} has no project {title!r}: push the query first")
    people = {person["id"]: person["email"] for person in server.get("/api/users/")}
    exported = server.get(f"/api/projects/{project['id']}/export", exportType="JSON", download_all_tasks="true")
    found, problems, known = [], [], set(ids)
    for task in exported:
        image = task["data"].get("image_id")
        for annotation in task["annotations"]:
            try:
                found.append((annotation["updated_at"], _answer(annotation, image, known, classes, people, log)))
            except InputError as error:
                problems.append((task["id"], annotation["id"], str(image), str(error)))
    found.sort(key=lambda dated: dated[0])
    return log.add(answer for _, answer in found), pd.DataFrame(
        problems, columns=["task", "annotation", "id", "problem"]
    )


def _project(server: LabelStudio, title: str, classes: list[str], masks: bool, annotators: int) -> int:
    settings = {"label_config": _config(classes, masks), "maximum_annotations": annotators}
    project = _find(server, title)
    if project is None:
        return server.post("/api/projects/", {"title": title, **settings})["id"]
    if any(project.get(name) != value for name, value in settings.items()):  # a class has been added, say
        server.patch(f"/api/projects/{project['id']}/", settings)
    return project["id"]


def _find(server: LabelStudio, title: str) -> dict | None:
    page = 1
    while True:
        found = server.get("/api/projects/", page=page, page_size=100)
        for project in found["results"]:
            if project["title"] == title:
                return project
        if not found.get("next"):
            return None
        page += 1


def _tasks(server: LabelStudio, project: int) -> list[dict]:
    return server.get(f"/api/projects/{project}/export", exportType="JSON", download_all_tasks="true")


def _config(classes: list[str], masks: bool) -> str:
    if masks:
        labels = "".join(f"<Label value={quoteattr(name)}/>" for name in classes)
        brush = f'<BrushLabels name="label" toName="image">{labels}</BrushLabels>'
        return f'<View><Image name="image" value="$image" zoom="true"/>{brush}</View>'
    keys = [f' hotkey="{number}"' if number < 10 else "" for number in range(1, len(classes) + 1)]
    named = zip(classes, keys, strict=True)
    choices = "".join(f"<Choice value={quoteattr(name)}{key}/>" for name, key in named)
    # Before the image: a tall one would push them below the fold.
    choose = f'<Choices name="label" toName="image" choice="single" showInline="true">{choices}</Choices>'
    return f'<View>{choose}<Image name="image" value="$image"/></View>'


def _task(image: str, file: bytes, guess: dict | None) -> dict:
    kind = "png" if file.startswith(b"\x89PNG") else "jpeg"
    task: dict[str, Any] = {
        "data": {"image": f"data:image/{kind};base64,{base64.b64encode(file).decode()}", "image_id": image}
    }
    if guess is not None:
        chosen = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": [guess["label"]]}}
        score = float(guess["probability"])
        task["predictions"] = [{"model_version": "pt4al", "score": score, "result": [chosen]}]
    return task


def _answer(
    annotation: dict, image: str | None, known: set[str], classes: list[str], people: dict[int, str], log: AnswerLog
) -> Answer:
    if image not in known:
        raise InputError(f"image id {image!r} is not in this run's queries")
    who = annotation["completed_by"]
    who = who["id"] if isinstance(who, dict) else who
    label = None if annotation["was_cancelled"] else _label(annotation["result"], classes, log)
    return Answer(
        id=image,
        label=label,
        annotator=people.get(who, f"user {who}"),
        source="label_studio",
        key=f"label_studio:{annotation['id']}:{annotation['updated_at']}",
        at=annotation["updated_at"],
        seconds=float(annotation.get("lead_time") or float("nan")),
    )


def _label(result: list[dict], classes: list[str], log: AnswerLog) -> str:
    choices = [name for part in result if part["type"] == "choices" for name in part["value"]["choices"]]
    brushes = [part for part in result if part["type"] == "brushlabels"]
    if brushes:
        return log.keep_mask(_mask(brushes, classes))
    if len(choices) != 1:
        raise InputError(f"holds {len(choices)} choices, one was expected")
    if choices[0] not in classes:
        raise InputError(f"label {choices[0]!r} is no class: known: {', '.join(classes)}")
    return choices[0]


def _mask(brushes: list[dict], classes: list[str]) -> bytes:
    """Paint the regions one over the other; return the mask as a PNG file."""
    height, width = brushes[0]["original_height"], brushes[0]["original_width"]
    mask = np.full((height, width), IGNORED, np.uint8)
    for brush in brushes:
        (name,) = brush["value"]["brushlabels"]
        if name not in classes:
            raise InputError(f"label {name!r} is no class: known: {', '.join(classes)}")
        mask[decode(brush["value"]["rle"], height, width)] = classes.index(name)
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return file.getvalue()
