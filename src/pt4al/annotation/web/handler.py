"""Answer HTTP requests to the labelling page, and refuse what does not come from it.

Refused are: no or a wrong token (401), another host's name or another page as origin (403), unknown
paths and images (404), other methods (405), bodies that come too slowly (408), without a length
(411), larger than 64 KiB (413) or not JSON (415), and questions before there is a query (503). The
page itself holds no secret and no data: the token stands behind the # of the link, which browsers
don't send, and each call carries it in a header. The report is opened by a plain link, which has a
key of its own, for nothing else.
"""

import base64
import hashlib
import io
import json
import logging
import re
import secrets
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from pt4al.errors import InputError

logger = logging.getLogger(__name__)

LARGEST = 64 * 2**10  # bytes of a body
PATIENCE = 20  # seconds until a request begins, and from then on until it is whole
WAITING = 128  # connections that may wait to be accepted: 50 browsers open several each, at once
POLICY = (  # the page's own script and style, by their digests
    "default-src 'none'; script-src '{script}'; style-src '{style}'; "
    "img-src blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server(ThreadingHTTPServer):
    """Listens for one page. Closing it shuts open connections too."""

    daemon_threads = True
    request_queue_size = WAITING

    def __init__(self, address: tuple[str, int], page: Any):
        self.page = page
        self.connections = set()
        super().__init__(address, Handler)

    def server_close(self) -> None:
        """Stop listening, and shut open connections."""
        super().server_close()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log errors in one line, but for browsers that hang up."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            logger.error("the labelling page: %r", error)


class Refused(Exception):
    """A request that is refused: status and reason."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


class Incoming(io.RawIOBase):
    """What a connection sends; the time for a whole request is bounded, not that for each byte."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._end = None

    def expect(self) -> None:
        """Begin to wait for another request."""
        self._end = None

    def readable(self) -> bool:
        """See io.RawIOBase."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come into `buffer`; TimeoutError when the request is too slow."""
        left = PATIENCE if self._end is None else self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"the request did not come within {PATIENCE} seconds")
        self._connection.settimeout(left)
        received = self._connection.recv_into(buffer)
        if self._end is None:
            self._end = time.monotonic() + PATIENCE
        return received


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests for `server.page`, or says why not."""

    protocol_version = "HTTP/1.1"
    server_version = "pt4al"
    sys_version = ""

    def setup(self) -> None:
        """Bound the time of requests, and register the connection."""
        super().setup()
        self.rfile.close()
        self._incoming = Incoming(self.connection)
        self.rfile = io.BufferedReader(self._incoming)
        self.server.connections.add(self.connection)

    def handle_one_request(self) -> None:
        """Answer one request, with a time bound of its own."""
        self._incoming.expect()
        super().handle_one_request()

    def finish(self) -> None:
        """Forget the connection."""
        self.server.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        """Answer with the page, an image, or what the page reads."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Take what the page writes."""
        self._answer(self._post)

    def do_OPTIONS(self) -> None:
        """Refuse a preflight request of another origin, and any other method."""
        self._answer(self._other)

    do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing: the terminal is for the person who labels."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a malformed request, or one of an unknown method, like other refused ones."""
        self._refuse(405 if code == 501 else code, "not known here")

    def _answer(self, method: Callable[[], tuple[str, bytes]]) -> None:
        try:
            self._check_origin()
            kind, body = method()
            policy = "default-src 'none'"
            if kind.startswith("text/html"):
                policy = _policy() if body is _page() else _report_policy(body)
            self._send(200, kind, body, policy)
        except Refused as refused:
            self._refuse(refused.status, str(refused))
        except InputError as error:
            self._refuse(400, str(error))
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:
            # A picture that can't be read, or a full disk, say: the page goes on, and says so.
            logger.error("%s %s: %r", self.command, self._address().path, error)
            self._refuse(500, "this did not work; the terminal of `kedro label` says why")

    def _get(self) -> tuple[str, bytes]:
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            raise Refused(400, f"{self.command} has a body, where none belongs")
        path = self._address().path
        if path == "/":
            return "text/html; charset=utf-8", _page()
        fields = {name: values[0] for name, values in parse_qs(self._address().query).items()}
        if path == "/report":
            return "text/html; charset=utf-8", self.server.page.report(fields)
        self._check_token()
        self._check_asked(path)
        if path == "/image":
            picture = self.server.page.image(fields)
            return "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg", picture
        return self._called(self.server.page.reads, path, fields)

    def _post(self) -> tuple[str, bytes]:
        self._check_token()
        self._check_asked(self._address().path)
        return self._called(self.server.page.writes, self._address().path, self._body())

    def _address(self) -> SplitResult:
        try:
            return urlsplit(self.path)
        except ValueError:
            return urlsplit("")  # no path of ours

    def _other(self) -> tuple[str, bytes]:
        raise Refused(405, f"{self.command} is not known here")

    def _called(
        self, methods: dict[str, Callable], path: str, fields: dict[str, Any]
    ) -> tuple[str, bytes]:
        if path not in methods:
            page = self.server.page
            status = 405 if path in page.reads or path in page.writes else 404
            raise Refused(status, "no such thing here")
        return "application/json", json.dumps(methods[path](fields)).encode()

    def _body(self) -> dict[str, Any]:
        kind = self.headers.get_content_type()
        if kind != "application/json":
            raise Refused(415, f"the body is {kind!r:.100}: it must be application/json")
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]+", length):
            raise Refused(411, f"the body's length is {length!r:.100}: it must be a number")
        if len(length) > 9 or int(length) > LARGEST:
            raise Refused(413, f"the body is larger than {LARGEST} bytes")
        try:
            fields = json.loads(self._received(int(length)))
        except (ValueError, RecursionError):
            raise Refused(400, "the body is no JSON") from None
        if not isinstance(fields, dict):
            raise Refused(400, f"the body is a {type(fields).__name__}: it must be an object")
        return fields

    def _received(self, length: int) -> bytes:
        try:
            body = self.rfile.read(length)
        except TimeoutError:
            body = b""
        if len(body) < length:
            raise Refused(408, f"the body's {length} bytes did not come within {PATIENCE} seconds")
        return body

    def _check_origin(self) -> None:
        """Refuse requests that another page sends, or makes a browser send by another host name."""
        host = self.headers.get("Host", "")
        if not self.server.page.named(host):
            raise Refused(403, f"unknown host {host!r:.100}")
        origin = self.headers.get("Origin", f"http://{host}")
        if origin != f"http://{host}":
            raise Refused(403, f"another origin: {origin!r:.100}")
        site = self.headers.get("Sec-Fetch-Site", "none")
        if site in ("same-origin", "none"):
            return
        # The empty page may be opened by a link anywhere, in a mail say.
        empty_page = self.command == "GET" and self._address().path == "/"
        if not empty_page or self.headers.get("Sec-Fetch-Mode") != "navigate":
            raise Refused(403, f"another site: {site!r:.100}")

    def _check_token(self) -> None:
        given = self.headers.get("X-Token", "")
        if not secrets.compare_digest(given.encode(), self.server.page.token.encode()):
            message = "the link's token is missing or wrong: open the page by its whole link"
            raise Refused(401, message)

    def _check_asked(self, path: str) -> None:
        """Refuse questions about a query that is not there yet; a page sends an answer again."""
        if self.server.page.queue is None and path not in ("/api/start", "/api/stage"):
            message = f"nothing is asked yet, the pictures are being prepared ({path:.100})"
            raise Refused(503, message)

    def _refuse(self, status: int, reason: str) -> None:
        self.close_connection = True  # its body, if any, has not been read
        body = json.dumps({"error": reason}).encode()
        self._send(status, "application/json", body, "default-src 'none'")

    def _send(self, status: int, kind: str, body: bytes, policy: str) -> None:
        self.connection.settimeout(PATIENCE)  # for slow readers
        self.send_response(status)
        own = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy,
        }
        for name, value in {**HEADERS, **own}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@cache
def _page() -> bytes:
    return files("pt4al.annotation.web").joinpath("label.html").read_bytes()


@cache
def _policy() -> str:
    digests = {}
    for name in ("script", "style"):
        part = re.search(rf"<{name}>(.*?)</{name}>".encode(), _page(), re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
        digests[name] = f"sha256-{digest}"
    return POLICY.format(**digests)


def _report_policy(body: bytes) -> str:
    """A report has pictures and styles within it; scripts are its own, by their digests."""
    scripts = []
    for part in re.findall(rb"<script[^>]*>(.*?)</script>", body, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
        scripts.append(f"'sha256-{digest}'")
    allowed = " ".join(scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; "
        "style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
