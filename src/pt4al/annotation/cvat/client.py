"""Client of a CVAT server: its tokens, its version, and the upload of pictures.

Written after CVAT's OpenAPI schema (2.17 and 2.80) and the sources of its SDK.
"""

import re
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import requests
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from pt4al.annotation.server import Reply, Server, unsigned
from pt4al.errors import InputError

MAJOR = "2"  # version
LEGACY = re.compile("[0-9a-f]{40}")  # key of the older kind of token
ACCEPT = "application/vnd.cvat+json"
FORMS = 32 * 2**20  # bytes of pictures in one request; the SDK sends up to 100 MB
QUALITY = 95  # of the JPEG files that CVAT shows, in percent; its own default is 70
PAUSE = 1.0  # seconds between two questions whether pictures are ready
READY = 600.0  # seconds for a task's pictures to be made ready


class _About(TypedDict):
    version: str


class _Enqueued(TypedDict):
    rq_id: str


class _Request(TypedDict):
    status: str


ABOUT, ENQUEUED, REQUEST = map(TypeAdapter, (_About, _Enqueued, _Request))


class Cvat(Server):
    """A CVAT server, and a personal access token (from 2.48 on) or a key of the older kind."""

    product = "CVAT"

    def __init__(self, url: str, token: str, organization: str | None = None):
        """Take the server's address, and a token; see `Server`.

        Parameters
        ----------
        organization
            Short name of the organization that the project is in; None: the token's account.
        """
        super().__init__(url, token)
        self._session.headers["Accept"] = ACCEPT
        if organization:
            self._session.headers["X-Organization"] = quote(str(organization), safe="")

    def check(self) -> str:
        """Return the version; InputError if the server is no CVAT, or of another version."""
        path = "/api/server/about"
        # Without the token: whether it is a CVAT at all comes before whether it takes the token.
        reply = self._send("GET", path, auth=unsigned)
        if reply.status == 404:
            raise InputError(
                f"{self.url} knows no CVAT (status 404): it answers to the name alone that it was "
                "set up with (CVAT_HOST), http://localhost:8080 if none was"
            )
        version = self._read("GET", path, reply, ABOUT)["version"]
        if version.split(".")[0] != MAJOR:
            raise InputError(
                f"CVAT at {self.url} has version {version[:40]!r}: {MAJOR}.x was expected"
            )
        return version

    def upload(self, task: int, pictures: Iterable[tuple[str, bytes]]) -> None:
        """Give a new task its pictures, and wait until it is ready.

        Parameters
        ----------
        pictures
            Names of files and their content; frames are in alphabetical order of the names.

        Raises
        ------
        InputError
            If the server can't read them, or takes longer than ten minutes.
        """
        path = f"/api/tasks/{task}/data/"
        settings = {"image_quality": QUALITY}
        self._step(path, "Upload-Start")
        for files in _groups(pictures):
            self._step(path, "Upload-Multiple", data=settings, files=files)
        reply = self._step(path, "Upload-Finish", json=settings)
        self._wait(self._read("POST", path, reply, ENQUEUED)["rq_id"])

    def remove(self, path: str) -> None:
        """Delete what a path stands for."""
        self._check("DELETE", path, self._send("DELETE", path, auth=self._signed))

    def _check(self, method: str, path: str, reply: Reply) -> None:
        if reply.status == 403:  # limits of an account, too
            raise InputError(
                f"CVAT at {self.url} refuses the token (status 403) for {method} {path}: "
                f"{self._summary(reply)}"
            )
        super()._check(method, path, reply)

    def _step(self, path: str, header: str, **kwargs: Any) -> Reply:
        reply = self._send("POST", path, auth=self._signed, headers={header: "true"}, **kwargs)
        self._check("POST", path, reply)
        return reply

    def _wait(self, request: str) -> None:
        end = time.monotonic() + READY
        path = f"/api/requests/{quote(request, safe='')}"
        while True:
            answer = self.get(path, REQUEST)
            status = answer["status"]
            if status == "finished":
                return
            if status == "failed":
                message = self._without_secrets(" ".join(str(answer.get("message", "")).split()))
                raise InputError(f"CVAT at {self.url} can't read the pictures: {message[-300:]}")
            if status not in ("queued", "started"):
                raise self.odd(path, f"a status {status[:40]!r}")
            if time.monotonic() > end:
                raise InputError(
                    f"CVAT at {self.url} has not made the pictures ready within {READY:.0f} "
                    "seconds: do its workers run?"
                )
            time.sleep(PAUSE)

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        kind = "Token" if LEGACY.fullmatch(self._token) else "Bearer"
        request.headers["Authorization"] = f"{kind} {self._token}"
        return request


def _groups(pictures: Iterable[tuple[str, bytes]]) -> Iterable[dict[str, tuple[str, bytes]]]:
    """Yield the pictures as forms of a limited size."""
    group: dict[str, tuple[str, bytes]] = {}
    size = 0
    for name, content in pictures:
        if group and size + len(content) > FORMS:
            yield group
            group = {}
            size = 0
        group[f"client_files[{len(group)}]"] = (name, content)
        size += len(content)
    if group:
        yield group
