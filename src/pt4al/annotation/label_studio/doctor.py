"""Why pictures don't show in Label Studio: checks in order, one sentence each; nothing is changed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NotRequired
from urllib.parse import parse_qs, urljoin, urlsplit

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from pt4al.annotation.label_studio.client import LabelStudio
from pt4al.annotation.label_studio.sync import find
from pt4al.annotation.server import Glance
from pt4al.errors import InputError

TASKS = 20  # that are looked at: pictures within tasks make them large
IMAGE = re.compile(r"""<Image\b[^>]*\bvalue\s*=\s*["']\$(\w+)["']""")
DISABLED = b"LOCAL_FILES_SERVING_ENABLED"  # Label Studio names it when it refuses
# How tasks refer to pictures.
WITHIN = "within the task"
UPLOADED = "uploaded to the server"
LOCAL = "local files of the server"
RESOLVED = "in a cloud, through the server"
ADDRESS = "at http addresses"
CLOUD = "in a cloud that the server does not know"
PATH = "at paths that no browser can open"
SERVE = (
    "start Label Studio with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
    "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=<a folder above the pictures>"
)
ADD = "in the project's Settings, Cloud Storage, Add Source Storage, Local files"


class _WhoAmI(TypedDict):
    email: str


class _Task(TypedDict):
    id: int
    data: dict[str, Any]


class _Tasks(TypedDict):
    tasks: list[_Task]
    total: int


class _Storage(TypedDict):
    path: NotRequired[str | None]


class _Storages(TypedDict):
    results: list[_Storage]


WHO, TASK_LIST = map(TypeAdapter, (_WhoAmI, _Tasks))
STORAGES = TypeAdapter(list[_Storage] | _Storages)


@dataclass(frozen=True)
class Finding:
    """The result of a check: `what` was looked at, whether it is `ok`, and the `sentence`."""

    what: str
    ok: bool
    sentence: str


def examine(server: LabelStudio, title: str) -> Iterator[Finding]:
    """Yield what is found of a server, a token, a project and its pictures.

    Ends where the next check would need what is wrong. Each failure is a finding: nothing is
    raised, and nothing is written to the server.
    """
    what = "server"
    try:
        yield Finding(what, True, f"Label Studio {_version(server)} answers at {server.url}")
        what = "token"
        yield Finding(what, True, _token(server))
        what = "project"
        project = _project(server, title)
        yield Finding(what, True, f"{title!r} is at {server.url}/projects/{project['id']}/data")
        what = "tasks"
        tasks, total, key = _tasks(server, project)
        kinds = _kinds(server, tasks, key)
        counts = ", ".join(f"{kind} ({len(addresses)})" for kind, addresses in kinds.items())
        yield Finding(what, True, f"of {len(tasks)} of {total} tasks, pictures are {counts}")
    except InputError as error:
        yield Finding(what, False, str(error))
        return
    for kind, addresses in kinds.items():
        yield from _pictures(server, project["id"], kind, addresses)


def _pictures(
    server: LabelStudio, project: int, kind: str, addresses: list[str]
) -> Iterator[Finding]:
    """Yield what is found of pictures that tasks refer to in the same way."""
    comes = True
    try:
        said = _picture(server, kind, addresses[0])
    except InputError as error:
        comes = False
        said = str(error)
    if kind == LOCAL:
        yield _stored(server, project, addresses, comes)
    yield Finding("picture", comes, said)


def _stored(server: LabelStudio, project: int, addresses: list[str], comes: bool) -> Finding:
    """Return what is found of the storage of local files; `comes`: whether a picture does."""
    try:
        return Finding("storage", True, _storage(server, project, addresses))
    except InputError as error:
        if not comes:
            return Finding("storage", False, str(error))
    # Label Studio serves what any project's storage holds that the person may see.
    return Finding(
        "storage",
        True,
        "no storage of this project holds the pictures, but another project's does: "
        "who may not see that one doesn't see them",
    )


def _version(server: LabelStudio) -> str:
    try:
        return server.check(signed=False)
    except InputError as error:
        if "refuses the token" not in str(error):
            raise
        return server.check()


def _token(server: LabelStudio) -> str:
    kind = "a legacy token" if server.legacy else "a personal access token"
    try:
        person = server.get("/api/current-user/whoami", WHO)["email"]
    except InputError as error:
        advice = ""
        if server.legacy and "refuses the token" in str(error):
            advice = "; it is a legacy token, which an organization's settings may switch off"
        raise InputError(f"{error}{advice}") from None
    return f"{kind}, of {person}"


def _project(server: LabelStudio, title: str) -> dict:
    project = find(server, title)
    if project is None:
        raise InputError(
            f"there is no project {title!r} that this token may see: push the query first, or name "
            "another one with --project"
        )
    return project


def _tasks(server: LabelStudio, project: dict) -> tuple[list[dict], int, str]:
    """Return some tasks, how many there are, and the name of what the form shows as a picture."""
    match = IMAGE.search(project.get("label_config") or "")
    if match is None:
        raise InputError(
            f"the labelling form of {project['title']!r} shows no picture: it has no <Image> with "
            'value="$..."'
        )
    answer = server.get(
        "/api/tasks/", TASK_LIST, project=project["id"], page=1, page_size=TASKS, fields="all"
    )
    tasks = answer["tasks"]
    if not tasks:
        raise InputError(f"project {project['title']!r} has no tasks: push the query first")
    return tasks, answer["total"], match[1]


def _kinds(server: LabelStudio, tasks: list[dict], key: str) -> dict[str, list[str]]:
    """Return the addresses of the tasks' pictures, by how they refer to them."""
    kinds: dict[str, list[str]] = {}
    for task in tasks:
        address = task["data"].get(key)
        if not isinstance(address, str) or not address:
            names = ", ".join(sorted(task["data"]))[:200]
            raise InputError(
                f"the labelling form shows ${key}, but task {task['id']} has no such text in its "
                f"data (it has {names}): name the same in both"
            )
        kinds.setdefault(_kind(server, address), []).append(address)
    return kinds


def _kind(server: LabelStudio, address: str) -> str:
    if address.startswith("data:"):
        return WITHIN
    path = address.removeprefix(server.origin)
    if "/data/upload/" in path and path.startswith("/"):
        return UPLOADED
    if "/data/local-files/" in path and path.startswith("/"):
        return LOCAL
    if re.match(r"/(.*/)?(tasks|projects)/\d+/(resolve|presign)/", path):
        return RESOLVED
    if re.match("https?://", address):
        return ADDRESS
    return CLOUD if re.match(r"[a-z][a-z0-9+-]+://", address) else PATH


def _storage(server: LabelStudio, project: int, addresses: list[str]) -> str:
    """Check that a storage of local files holds a picture.

    Label Studio serves what is below the folder of a storage of the project. Addresses begin below
    its document root, which it doesn't say: so the end of a storage's folder must be the beginning
    of a picture's.
    """
    answer = server.get("/api/storages/localfiles", STORAGES, project=project)
    storages = answer if isinstance(answer, list) else answer["results"]
    folders = [storage.get("path") or "" for storage in storages]
    if not folders:
        raise InputError(
            f"the project has no storage of local files: add one {ADD}, with a folder below "
            f"LOCAL_FILES_DOCUMENT_ROOT; and {SERVE}"
        )
    for address in addresses:
        place = _place(address)
        if "\\" in place:
            raise InputError(
                f"{server.shown(address)} has backslashes: write ?d=folder/picture.png"
            )
        if not any(_holds(folder, place) for folder in folders):
            known = ", ".join(map(repr, folders))[:300]
            raise InputError(
                f"{server.shown(address)} is in no storage of the project ({known}): after ?d= "
                "comes the path below LOCAL_FILES_DOCUMENT_ROOT, and it must begin with the "
                "storage's folder"
            )
    return f"local files are served from {', '.join(map(repr, folders))[:300]}"


def _place(address: str) -> str:
    """Return the path in an address of a local file."""
    return parse_qs(urlsplit(address).query).get("d", [""])[0]


def _holds(folder: str, place: str) -> bool:
    """Return whether a picture may be in a folder, of which only the end is in its address."""
    inner = PurePosixPath(folder.replace("\\", "/")).parts
    outer = PurePosixPath(place.lstrip("/")).parent.parts
    longest = min(len(inner), len(outer))
    return any(inner[-number:] == outer[:number] for number in range(1, longest + 1))


def _picture(server: LabelStudio, kind: str, address: str) -> str:
    """Fetch a picture as a browser would; return what came."""
    shown = server.shown(address)
    if kind == WITHIN:
        if not address.startswith("data:image/"):
            raise InputError(f"a task holds {address[:40]!r}, which is no picture")
        return "one travels within its task, and needs no other address"
    if kind == PATH:
        raise InputError(f"no browser can open {shown}: add its folder {ADD}; and {SERVE}")
    if kind == CLOUD:
        raise InputError(
            f"the server leaves {shown} as it is: add that bucket in the project's Settings, "
            "Cloud Storage, with its keys"
        )
    if kind == ADDRESS:
        return _elsewhere(server, address)
    glance = server.glance(urljoin(server.origin + "/", address))
    if glance.location and 300 <= glance.status < 400:
        target = urljoin(server.origin + "/", glance.location)
        if target.startswith(server.origin + "/"):
            raise InputError(
                f"{shown} sends the browser to {server.shown(target)}: sign in there, or give the "
                "token's account access to the project"
            )
        return _elsewhere(server, target)
    return _came(server, kind, shown, glance)


def _elsewhere(server: LabelStudio, address: str) -> str:
    """Fetch a picture from another server, as a page of Label Studio would."""
    shown = server.shown(address)
    if server.url.startswith("https:") and address.startswith("http:"):
        raise InputError(
            f"{shown} is http, but Label Studio is https: browsers block that; serve it by https"
        )
    glance = server.glance(address)
    said = _came(server, ADDRESS, shown, glance)
    if not address.startswith(server.origin + "/") and glance.origin not in ("*", server.origin):
        raise InputError(
            f"{shown} comes, but doesn't permit pages of {server.origin} to read it "
            f"(Access-Control-Allow-Origin: {glance.origin or 'none'!s:.100}): "
            "permit them in the CORS settings of that server or bucket"
        )
    return said


def _came(server: LabelStudio, kind: str, shown: str, glance: Glance) -> str:
    """Return what came instead of a picture as an error, or that one came."""
    if DISABLED in glance.beginning:
        raise InputError(f"the server serves no local files: {SERVE}")
    if glance.status in (401, 403):
        raise InputError(
            f"{shown} is refused (status {glance.status}): is the account a member of the project, "
            "and have the keys of the storage expired?"
        )
    # Label Studio breaks on uploads that it has no record of.
    if glance.status == 404 or (glance.status == 500 and kind == UPLOADED):
        raise InputError(f"{shown} is not there (status {glance.status}): {_missing(kind)}")
    if glance.location and 300 <= glance.status < 400:
        raise InputError(f"{shown} sends the browser to {server.shown(glance.location)}")
    if not 200 <= glance.status < 300:
        raise InputError(f"{shown} gave status {glance.status}: look into that server's log")
    if not glance.content_type.startswith("image/"):
        raise InputError(
            f"{shown} brings {glance.content_type or 'no content type'!s:.60}, and no picture"
        )
    return f"{shown} comes: status {glance.status}, {glance.content_type[:60]}"


def _missing(kind: str) -> str:
    if kind == LOCAL:
        return (
            "is there such a file below LOCAL_FILES_DOCUMENT_ROOT, as the server sees it (in a "
            "container: is the folder mounted?), and does a storage of the project hold it?"
        )
    if kind == UPLOADED:
        return "was the server's folder of uploads moved, or lost with a container?"
    return "was it moved?"
