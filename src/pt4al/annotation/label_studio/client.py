"""Client of a Label Studio server, by plain HTTP, with either kind of its tokens.

Any other answer at the address, a proxy's page or half a reply, is an error of one sentence.
"""

import json
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from pydantic import TypeAdapter, ValidationError
from requests.adapters import HTTPAdapter
from typing_extensions import TypedDict
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from pt4al.errors import InputError

PATIENCE = (10, 120)  # seconds to connect, to answer
LONGEST = 600  # seconds for a whole reply
LARGEST = 512 * 2**20  # bytes of a reply: two hundred tasks with masks have some tens of MB
CHUNK = 2**16
VALID = 240  # seconds that an access token is used for; it is valid for 300
# A JSON web token; tokens of the other kind are any text without spaces.
REFRESH = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
MAJOR = "1"  # version; 1.23 was tried
RETRIES = Retry(
    total=3,
    backoff_factor=0.2,
    status_forcelist=[502, 503, 504],
    allowed_methods=["GET"],  # which changes nothing
    raise_on_status=False,
    redirect=False,
)


class _Access(TypedDict):
    access: str


ANYTHING = TypeAdapter(Any)
ACCESS = TypeAdapter(_Access)


@dataclass(frozen=True)
class Reply:
    """A server's whole reply."""

    status: int
    body: bytes
    location: str | None

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300


class LabelStudio:
    """A server and a token for it, which is in no message."""

    def __init__(self, url: str, token: str):
        """Take the server's address, and a legacy token or that of an account's page.

        Raises
        ------
        InputError
            If the address or the token can't be one, or the address holds a password.
        """
        url = str(url).strip()
        token = str(token).strip()
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if "@" in parts.netloc:
            raise InputError(
                f"Label Studio's address at {parts.hostname!r} holds a name or password: "
                "a token is enough"
            )
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InputError(
                f"Label Studio's address is {url!r}: "
                "something like http://127.0.0.1:8080 was expected"
            )
        self.url = url.rstrip("/")
        self._token = token
        if not re.fullmatch(r"[!-~]+", self._token):
            raise InputError(
                f"Label Studio's token ({len(self._token)} characters) is empty, "
                "or holds spaces or letters that no token has: "
                "copy it again from the page of your account"
            )
        self._access = ""
        self._until = 0.0
        self._session = requests.Session()
        # No proxy within one machine: it would see the token, and not find the server.
        self._session.trust_env = parts.hostname not in ("127.0.0.1", "localhost", "::1")
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=RETRIES))

    def __repr__(self) -> str:
        """Name the server, without its token."""
        return f"LabelStudio({self.url!r})"

    def __enter__(self) -> "LabelStudio":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def check(self) -> None:
        """Raise InputError if the server is no Label Studio, or of another version."""
        version = self.get("/api/version")
        release = str(version.get("release", "")) if isinstance(version, dict) else ""
        if not release:
            raise InputError(
                f"{self.url} does not answer as Label Studio does: is the address right?"
            )
        if release.split(".")[0] != MAJOR:
            raise InputError(
                f"Label Studio at {self.url} has version {release[:40]}: {MAJOR}.x was expected"
            )

    def get(self, path: str, shape: TypeAdapter = ANYTHING, /, **query: Any) -> Any:
        """Return the answer of a path; InputError if it has another shape than expected."""
        return self._ask("GET", path, shape, params=query)

    def post(self, path: str, body: Any, shape: TypeAdapter = ANYTHING, /, **query: Any) -> Any:
        """Create something; return the answer."""
        return self._ask("POST", path, shape, json=body, params=query)

    def patch(self, path: str, body: Any) -> Any:
        """Change something; return the answer."""
        return self._ask("PATCH", path, ANYTHING, json=body)

    def odd(self, path: str, what: str) -> InputError:
        """Return the error for an answer that Label Studio would not give."""
        return InputError(
            f"{self.url}{path} does not answer as Label Studio does ({what}): is the address right?"
        )

    def _ask(self, method: str, path: str, shape: TypeAdapter, **kwargs: Any) -> Any:
        reply = self._send(method, path, auth=self._signed, **kwargs)
        if reply.status == 401 and self._access:
            # The access token has expired early: nothing was done.
            self._access = ""
            reply = self._send(method, path, auth=self._signed, **kwargs)
        return self._read(method, path, reply, shape)

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token; as `auth`, since a .netrc file would replace a header."""
        if REFRESH.fullmatch(self._token):
            request.headers["Authorization"] = f"Bearer {self._current()}"
        else:
            request.headers["Authorization"] = f"Token {self._token}"
        return request

    def _current(self) -> str:
        """Return an access token that is still valid."""
        if not self._access or time.monotonic() > self._until:
            path = "/api/token/refresh/"
            body = {"refresh": self._token}
            # An `auth` that does nothing, or .netrc would be used.
            reply = self._send("POST", path, json=body, auth=lambda request: request)
            access = self._read("POST", path, reply, ACCESS)["access"]
            if not re.fullmatch(r"[!-~]+", access):
                raise self.odd(path, "`access` is no token")
            self._access = access
            self._until = time.monotonic() + VALID
        return self._access

    def _send(self, method: str, path: str, **kwargs: Any) -> Reply:
        try:
            with self._session.request(
                method,
                self.url + path,
                timeout=PATIENCE,
                allow_redirects=False,
                stream=True,
                **kwargs,
            ) as reply:
                body = self._received(path, reply)
                return Reply(reply.status_code, body, reply.headers.get("Location"))
        except (requests.RequestException, HTTPError, OSError) as error:
            raise InputError(
                f"Label Studio at {self.url} can't be reached, or hangs up "
                f"({type(error).__name__}): is it running there?"
            ) from None

    def _received(self, path: str, reply: requests.Response) -> bytes:
        end = time.monotonic() + LONGEST
        parts = []
        size = 0
        for part in reply.iter_content(CHUNK):
            size += len(part)
            if size > LARGEST:
                raise self.odd(path, f"more than {LARGEST} bytes")
            if time.monotonic() > end:
                raise self.odd(path, f"no end within {LONGEST} seconds")
            parts.append(part)
        return b"".join(parts)

    def _read(self, method: str, path: str, reply: Reply, shape: TypeAdapter) -> Any:
        if reply.status in (401, 403):
            raise InputError(
                f"Label Studio at {self.url} refuses the token (status {reply.status}): "
                "is it current?"
            )
        if not reply.ok:
            result = f"status {reply.status}: {self._summary(reply)}"
            raise InputError(f"Label Studio at {self.url}: {method} {path} gave {result}")
        try:
            content = json.loads(reply.body)
        except (ValueError, RecursionError):
            raise self.odd(path, f"no JSON, but {self._summary(reply)}") from None
        try:
            shape.validate_python(content, strict=True)
        except ValidationError as error:
            raise self.odd(path, describe(error)) from None
        return content

    def _summary(self, reply: Reply) -> str:
        """Return the beginning of a reply, in one line and without secrets."""
        if reply.location is not None and 300 <= reply.status < 400:
            return f"it sends us to {self._without_secrets(reply.location)[:200]!r}"
        text = self._without_secrets(reply.body[:10_000].decode("utf-8", "replace"))
        text = " ".join(text.split())
        if re.match(r"(?i)<(!doctype|html)", text):
            title = re.search(r"(?i)<title>(.{1,200}?)</title>", text)
            return f"a web page, {title[1].strip()!r}" if title else "a web page"
        return text[:300] if text else "nothing"

    def _without_secrets(self, text: str) -> str:
        for secret in filter(None, (self._token, self._access)):
            text = text.replace(secret, "...")
        return text


def describe(error: ValidationError) -> str:
    """Return the first place that has another shape than expected, and what is wrong there."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"][:1].lower() + first["msg"][1:200]
    return f"`{where}`: {message}" if where else message
