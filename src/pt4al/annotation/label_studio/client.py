"""Client of a Label Studio server, with either kind of its tokens."""

import re
import time
from typing import Any

import requests
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from pt4al.annotation.server import ANYTHING, Server, unsigned
from pt4al.errors import InputError

VALID = 240  # seconds that an access token is used for; it is valid for 300
# A JSON web token; tokens of the other kind are any text without spaces.
REFRESH = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
MAJOR = "1"  # version; 1.23 was tried


class _Access(TypedDict):
    access: str


ACCESS = TypeAdapter(_Access)


class LabelStudio(Server):
    """A Label Studio server, and a legacy token or that of an account's page."""

    product = "Label Studio"

    def __init__(self, url: str, token: str):
        """Take the server's address, and a token; see `Server`."""
        super().__init__(url, token)
        self._access = ""
        self._until = 0.0

    @property
    def legacy(self) -> bool:
        """Whether the token is of the older kind, which is sent as it is."""
        return REFRESH.fullmatch(self._token) is None

    def check(self, signed: bool = True) -> str:
        """Return the version; InputError if the server is no Label Studio, or of another one.

        Parameters
        ----------
        signed
            Whether to send the token, which some servers want even for this.
        """
        path = "/api/version"
        if signed:
            version = self.get(path)
        else:
            version = self._read("GET", path, self._send("GET", path, auth=unsigned), ANYTHING)
        release = str(version.get("release", "")) if isinstance(version, dict) else ""
        if not release:
            raise InputError(
                f"{self.url} does not answer as Label Studio does: is the address right?"
            )
        if release.split(".")[0] != MAJOR:
            raise InputError(
                f"Label Studio at {self.url} has version {release[:40]}: {MAJOR}.x was expected"
            )
        return release[:40]

    def _secrets(self) -> list[str]:
        return [self._token, self._access]

    def _ask(self, method: str, path: str, shape: TypeAdapter, **kwargs: Any) -> Any:
        reply = self._send(method, path, auth=self._signed, **kwargs)
        if reply.status == 401 and self._access:
            # The access token has expired early: nothing was done.
            self._access = ""
            reply = self._send(method, path, auth=self._signed, **kwargs)
        return self._read(method, path, reply, shape)

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.legacy:
            request.headers["Authorization"] = f"Token {self._token}"
        else:
            request.headers["Authorization"] = f"Bearer {self._current()}"
        return request

    def _current(self) -> str:
        """Return an access token that is still valid."""
        if not self._access or time.monotonic() > self._until:
            path = "/api/token/refresh/"
            reply = self._send("POST", path, json={"refresh": self._token}, auth=unsigned)
            access = self._read("POST", path, reply, ACCESS)["access"]
            if not re.fullmatch(r"[!-~]+", access):
                raise self.odd(path, "`access` is no token")
            self._access = access
            self._until = time.monotonic() + VALID
        return self._access
