"""Serve the labelling page: to this machine alone, to who has the link alone, and nothing but a query's images.

What is refused, and how it is told: no or a wrong token (401), another host's name or another page as origin (403),
unknown paths and images (404), other methods (405), bodies without a length (411), larger than 64 KiB (413) or not
JSON (415). The page itself holds no secret and no data: the token stands behind the # of the link, which browsers send
nowhere, and each call carries it in a header.
"""

import base64
import hashlib
import json
import math
import re
import secrets
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pt4al.errors import InputError
from pt4al.labelling.assignment import Progress
from pt4al.labelling.desk import Desk
from pt4al.labelling.policies import REVIEW, SKIPPED

LARGEST = 64 * 2**10  # bytes of a body
PATIENCE = 20  # seconds for a slow sender
POLICY = (  # the page's own script and style, by their digests
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LOCAL = ("127.0.0.1", "localhost")


class Refused(Exception):
    """A request that is not answered: its status and why."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


class Page:
    """The page of one desk: `url` has the token; `run` serves until `stop`, or Ctrl-C."""

    def __init__(
        self,
        desk: Desk,
        picture: Callable[[str], bytes],
        why: Callable[[str], dict[str, Any] | None] = lambda image: None,
        facts: dict[str, Any] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
    ):
        """Listen.

        Parameters
        ----------
        picture
            Returns an image's file, PNG or JPEG, by its id.
        why
            Returns what is known of why an image was chosen; None: nothing.
        facts
            What the page shows beside: `title`, `command` (what to type when all is answered), `suggest`
            (whether suggestions are shown at first).
        """
        self.desk, self.picture, self.why, self.facts = desk, picture, why, facts or {}
        self.token = token or secrets.token_urlsafe(24)
        self._server = ThreadingHTTPServer((host, port), _Handler)
        self._server.daemon_threads, self._server.page = True, self
        self.host, self.port = host, self._server.server_port
        self.names = {f"{name}:{self.port}" for name in (*LOCAL, host)}

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/#{self.token}"

    def run(self) -> None:
        """Serve until `stop` is called from another thread, or Ctrl-C."""
        try:
            self._server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            self._server.server_close()

    def stop(self) -> None:
        self._server.shutdown()

    # What the page asks for, by path. Each takes the body, or the query's fields, and returns what is sent as JSON.
    def start(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"classes": self.desk.classes, **self.facts, "progress": _told(self.desk.progress())}

    def next(self, asked: dict[str, Any]) -> dict[str, Any]:
        annotator = _field(asked, "annotator")
        image = self.desk.next(annotator)
        shown = None if image is None else self.desk.facts(image, annotator)
        return {"image": shown, "progress": _told(self.desk.progress())}

    def facts_of(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"image": self.desk.facts(self._image(asked), _field(asked, "annotator"))}

    def answered(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"images": self.desk.answered(_field(asked, "annotator"))}

    def disputed(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"images": self.desk.disputed()}

    def reasons(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"why": self.why(self._image(asked))}

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        label, seconds = asked.get("label"), asked.get("seconds")
        if label is not None and not isinstance(label, str):
            raise InputError(f"`label` is {label!r:.100}: it must be a class's name, or null for a skip")
        known = isinstance(seconds, int | float) and math.isfinite(seconds) and 0 <= seconds < 86_400
        told = self.desk.answer(
            _field(asked, "image"),
            label,
            _field(asked, "annotator"),
            _field(asked, "key"),
            float(seconds) if known else math.nan,
            asked.get("review") is True,
        )
        return {"status": told, "progress": _told(self.desk.progress())}

    def undo(self, asked: dict[str, Any]) -> dict[str, Any]:
        annotator = _field(asked, "annotator")
        image = self.desk.undo(annotator, _field(asked, "key"))
        shown = None if image is None else self.desk.facts(image, annotator)
        return {"image": shown, "progress": _told(self.desk.progress())}

    def _image(self, asked: dict[str, Any]) -> str:
        image = _field(asked, "image")
        if not self.desk.knows(image):
            raise Refused(404, "no such image in this query")
        return image


# Reading by GET, writing by POST.
READS = {"/api/start": Page.start, "/api/why": Page.reasons, "/api/disputed": Page.disputed}
WRITES = {
    "/api/next": Page.next,
    "/api/facts": Page.facts_of,
    "/api/answered": Page.answered,
    "/api/answer": Page.answer,
    "/api/undo": Page.undo,
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version, timeout = "HTTP/1.1", PATIENCE
    server_version, sys_version = "pt4al", ""

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def do_OPTIONS(self) -> None:  # a preflight request of another origin
        self._answer(self._other)

    do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: a terminal is for the person who labels."""

    def _answer(self, method: Callable[[], tuple[str, bytes]]) -> None:
        try:
            self._check_origin()
            kind, body = method()
            self._send(200, kind, body, _policy() if kind.startswith("text/html") else "default-src 'none'")
        except Refused as refused:
            self._refuse(refused.status, str(refused))
        except InputError as error:
            self._refuse(400, str(error))
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _get(self) -> tuple[str, bytes]:
        parts = urlsplit(self.path)
        if parts.path == "/":
            return "text/html; charset=utf-8", _page()
        self._check_token()
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/image":
            picture = self.server.page.picture(self.server.page._image(asked))
            return "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg", picture
        return self._called(READS, parts.path, asked)

    def _post(self) -> tuple[str, bytes]:
        self._check_token()
        return self._called(WRITES, urlsplit(self.path).path, self._body())

    def _other(self) -> tuple[str, bytes]:
        raise Refused(405, f"{self.command} is not known here")

    def _called(self, known: dict[str, Callable], path: str, asked: dict[str, Any]) -> tuple[str, bytes]:
        if path not in known:
            raise Refused(405 if path in READS or path in WRITES else 404, "no such thing here")
        return "application/json", json.dumps(known[path](self.server.page, asked)).encode()

    def _body(self) -> dict[str, Any]:
        if self.headers.get_content_type() != "application/json":
            raise Refused(415, "the body must be JSON")
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            raise Refused(411, "the body's length is missing")
        if int(length) > LARGEST:
            raise Refused(413, f"the body is larger than {LARGEST} bytes")
        try:
            asked = json.loads(self.rfile.read(int(length)))
        except ValueError:
            raise Refused(400, "the body is no JSON") from None
        if not isinstance(asked, dict):
            raise Refused(400, "the body is no object")
        return asked

    def _check_origin(self) -> None:
        """Refuse what another page sends, or makes a browser send by another name for this address."""
        names = self.server.page.names
        if self.headers.get("Host") not in names:
            raise Refused(403, "unknown host")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{name}" for name in names}:
            raise Refused(403, "another origin")
        if self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise Refused(403, "another site")

    def _check_token(self) -> None:
        given = self.headers.get("X-Token", "")
        if not secrets.compare_digest(given.encode(), self.server.page.token.encode()):
            raise Refused(401, "the link's token is missing or wrong: open the page by its whole link")

    def _refuse(self, status: int, reason: str) -> None:
        self.close_connection = True  # its body, if any, has not been read
        self._send(status, "application/json", json.dumps({"error": reason}).encode(), "default-src 'none'")

    def _send(self, status: int, kind: str, body: bytes, policy: str) -> None:
        self.send_response(status)
        own = {"Content-Type": kind, "Content-Length": str(len(body)), "Content-Security-Policy": policy}
        for name, value in {**HEADERS, **own}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@cache
def _page() -> bytes:
    return files("pt4al.labelling.page").joinpath("label.html").read_bytes()


@cache
def _policy() -> str:
    parts = {
        name: re.search(rb"<%s>(.*?)</%s>" % (name, name), _page(), re.DOTALL)[1] for name in (b"script", b"style")
    }
    digests = {name.decode(): base64.b64encode(hashlib.sha256(part).digest()).decode() for name, part in parts.items()}
    return POLICY.format(**{name: f"sha256-{digest}" for name, digest in digests.items()})


def _field(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise InputError(f"`{name}` is {value!r:.100}: it must be text")
    return value


def _told(progress: Progress) -> dict[str, Any]:
    return {
        "answered": progress.answered,
        "total": len(progress.images),
        "skipped": progress.count(SKIPPED),
        "review": progress.count(REVIEW),
        "text": str(progress),
    }
