"""Serve the labelling page: to this machine alone, to who has the link alone, and nothing but a query's images."""

import errno
import ipaddress
import math
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any

from pt4al.annotation.aggregation import REVIEW, SKIPPED
from pt4al.annotation.progress import Progress
from pt4al.annotation.queue import AnnotationQueue
from pt4al.annotation.web.handler import Refused, Server
from pt4al.errors import InputError
from pt4al.text import normalised

LOCAL = ("127.0.0.1", "localhost")
SIZES = ("thumbnail", "whole")  # of a picture, beside that for a screen
EVERYWHERE = ("", "0.0.0.0")  # hosts that stand for all addresses of this machine


class Page:
    """The page of one queue: `url` has the token; `run` serves until `stop`, or Ctrl-C."""

    def __init__(
        self,
        queue: AnnotationQueue,
        picture: Callable[..., bytes],
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
            Returns an image's file, PNG or JPEG, by its id, and by a second argument `thumbnail` or
            `whole` in that size; called by one thread at a time.
        why
            Returns what is known of why an image was chosen; None: nothing.
        facts
            What the page shows beside: `title`, `round` and `rounds` (of this query, and how many
            there are), `command` (what to type when all is answered), `suggest` (whether
            suggestions are shown at first).
        host
            `0.0.0.0`: all addresses of this machine; then anybody with the link may label.
        port
            0: a free one.
        token
            None: a new one.

        Raises
        ------
        InputError
            If nothing can be served there: the port is taken, say.
        """
        self.queue = queue
        self.picture = picture
        self.why = why
        self.facts = facts or {}
        self.token = token or secrets.token_urlsafe(24)
        self._server = _listening(host, port, self)
        self.host = host
        self.port = self._server.server_port
        self._one = threading.Lock()
        # What the page asks for, by path: reading by GET, writing (and what names a person) by
        # POST.
        self.reads = {
            "/api/start": self.start,
            "/api/why": self.reasons,
            "/api/disputed": self.disputed,
        }
        self.writes = {
            "/api/next": self.next,
            "/api/facts": self.facts_of,
            "/api/answered": self.answered,
            "/api/overview": self.overview,
            "/api/answer": self.answer,
            "/api/undo": self.undo,
            "/api/class": self.add_class,
        }

    @property
    def url(self) -> str:
        """The link, with the token."""
        host = socket.gethostname() if self.host in EVERYWHERE else self.host
        return f"http://{host}:{self.port}/#{self.token}"

    def named(self, host: str) -> bool:
        """Return whether a request's `Host` is this server's: no name that somebody else made point here."""
        name, _, port = host.rpartition(":") if ":" in host else (host, "", "80")
        if port != str(self.port):
            return False
        own = {*LOCAL, self.host.lower()} | (
            {socket.gethostname().lower()} if self.host in EVERYWHERE else set()
        )
        return name.lower() in own or (self.host in EVERYWHERE and _is_address(name))

    def run(self) -> None:
        """Serve until `stop` is called from another thread, or Ctrl-C."""
        try:
            self._server.serve_forever(poll_interval=0.05)
        except KeyboardInterrupt:
            pass
        finally:
            self._server.server_close()

    def stop(self) -> None:
        """Let `run` return; to be called from another thread than its."""
        self._server.shutdown()

    def image(self, asked: dict[str, Any]) -> bytes:
        """Return the file of an image of the query, in the size that is asked for."""
        image = self._image(asked)
        size = asked.get("size")
        if size is not None and size not in SIZES:
            raise InputError(f"`size` is {size!r:.100}: it must be one of {', '.join(SIZES)}")
        with self._one:
            return self.picture(image) if size is None else self.picture(image, size)

    # Each of these takes the body, or the query's fields, and returns what is sent as JSON.
    def start(self, asked: dict[str, Any]) -> dict[str, Any]:
        known = {"classes": self.queue.classes, "growing": self.queue.growing}
        return {**self.facts, **known, "progress": _told(self.queue.progress())}

    def next(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the next image, and `ahead`, ids of those that are likely to follow."""
        annotator = _annotator(asked)
        image, *ahead = self.queue.upcoming(annotator) or [None]
        shown = None if image is None else self.queue.facts(image, annotator)
        return {"image": shown, "ahead": ahead, "progress": _told(self.queue.progress())}

    def facts_of(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"image": self.queue.facts(self._image(asked), _annotator(asked))}

    def answered(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"images": self.queue.answered(_annotator(asked))}

    def overview(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"images": self.queue.overview(_annotator(asked))}

    def disputed(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"images": self.queue.disputed()}

    def reasons(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"why": self.why(self._image(asked))}

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        label = asked.get("label")
        seconds = asked.get("seconds")
        if label is not None and not isinstance(label, str):
            raise InputError(
                f"`label` is {label!r:.100}: it must be a class's name, or null for a skip"
            )
        known = isinstance(seconds, int | float) and 0 <= seconds < 86_400
        told = self.queue.answer(
            _field(asked, "image"),
            label,
            _annotator(asked),
            _field(asked, "key"),
            float(seconds) if known else math.nan,
            asked.get("review") is True,
        )
        rest = (
            self.next(asked)
            if asked.get("next") is True
            else {"progress": _told(self.queue.progress())}
        )
        return {"status": told, **rest}

    def undo(self, asked: dict[str, Any]) -> dict[str, Any]:
        annotator = _annotator(asked)
        image = self.queue.undo(annotator, _field(asked, "key"))
        shown = None if image is None else self.queue.facts(image, annotator)
        return {"image": shown, "progress": _told(self.queue.progress())}

    def add_class(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"name": self.queue.add_class(_field(asked, "name")), "classes": self.queue.classes}

    def _image(self, asked: dict[str, Any]) -> str:
        image = _field(asked, "image")
        if not self.queue.knows(image):
            raise Refused(404, "no such image in this query")
        return image


def _listening(host: str, port: int, page: Page) -> Server:
    try:
        return Server((host, port), page)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"port {port} is taken, perhaps by this run's page in another terminal: end that one, or choose "
                "another port (--port=0 takes a free one)"
            ) from None
        told = error.strerror or error
        raise InputError(
            f"no page can be served at {host}, port {port}: {told}; see --host and --port"
        ) from None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _field(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise InputError(f"`{name}` is {value!r:.100}: it must be text")
    return value


def _annotator(asked: dict[str, Any]) -> str:
    """Return who asks, in one spelling: whoever types a name on two machines is one person."""
    return normalised(_field(asked, "annotator"))


def _told(progress: Progress) -> dict[str, Any]:
    # A skipped image whose place another takes is neither done nor part of the goal.
    return {
        "answered": progress.answered - progress.replaced,
        "total": len(progress.images) - progress.replaced,
        "skipped": progress.count(SKIPPED),
        "review": progress.count(REVIEW),
        "text": str(progress),
    }
