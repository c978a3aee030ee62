"""Serve the labelling page: a query's images, to those who have the link, by default locally."""

import errno
import ipaddress
import math
import re
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from pt4al.annotation.aggregation import REVIEW, SKIPPED
from pt4al.annotation.grouping import FEWEST, Group
from pt4al.annotation.progress import Progress
from pt4al.annotation.queue import AnnotationQueue
from pt4al.annotation.web.handler import Refused, Server
from pt4al.errors import InputError
from pt4al.text import normalised

LOCAL = ("127.0.0.1", "localhost")
SIZES = ("thumbnail", "whole")  # of a picture, beside that for a screen
# What a page does: its state.
ASKING = "asking"
WORKING = "working"
FINISHED = "finished"
FAILED = "failed"
MOST = 60  # images of a grid
NOTHING = {"answered": 0, "total": 0, "skipped": 0, "review": 0, "text": ""}
HALF = re.compile("[\ud800-\udfff]")  # of a character, as JSON may spell it
EVERYWHERE = ("", "0.0.0.0")  # hosts that stand for all addresses of this machine


class Page:
    """The page of a queue, or of one after the other: `url` is its link.

    `run` serves until `stop`, or Ctrl-C.
    """

    def __init__(
        self,
        queue: AnnotationQueue | None = None,
        picture: Callable[..., bytes] | None = None,
        why: Callable[[str], dict[str, Any] | None] = lambda image: None,
        facts: dict[str, Any] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
    ):
        """Listen.

        Parameters
        ----------
        queue
            None: nothing is asked until `ask` is called.
        picture
            Returns an image's file, PNG or JPEG, by its id, and by a second argument `thumbnail` or
            `whole` in that size; called by one thread at a time.
        why
            Returns why an image was chosen, or None.
        facts
            What the page shows besides: `title`, `round` and `rounds` (of this query, and how many
            there are), `command` (what to type when all is answered), `goes_on` (the model is
            trained and the page asks again by itself, so nothing need be typed), `suggest`
            (whether suggestions are shown at first), `descriptions` (a sentence a class, by name).
        host
            `0.0.0.0`: all addresses of this machine; then anybody with the link may label.
        port
            0: a free one.
        token
            None: a new one.

        Raises
        ------
        InputError
            If the page can't be served there, since the port is taken, say.
        """
        self._take(queue, picture, why, facts or {})
        self.stage: dict[str, Any] = {"state": ASKING if queue else WORKING}
        self.opened = threading.Event()  # somebody has the page
        self.told = threading.Event()  # a page knows how it ended
        self._pages: dict[str, Callable[[], bytes]] = {}
        self._report_key = secrets.token_urlsafe(24)
        self.token = token or secrets.token_urlsafe(24)
        self._server = _listening(host, port, self)
        self.host = host
        self.port = self._server.server_port
        self._one = threading.Lock()
        # Methods by path: reading by GET, writing (and what names a person) by POST. Each takes the
        # query's fields, or the body, and returns what is sent as JSON.
        self.reads = {
            "/api/start": self.start,
            "/api/stage": self.stage_of,
            "/api/why": self.reasons,
            "/api/class": self.about,
            "/api/disputed": self.disputed,
        }
        self.writes = {
            "/api/next": self.next,
            "/api/grid": self.grid,
            "/api/confirm": self.confirm,
            "/api/facts": self.facts_of,
            "/api/answered": self.answered,
            "/api/overview": self.overview,
            "/api/answer": self.answer,
            "/api/undo": self.undo,
            "/api/class": self.add_class,
        }

    def ask(
        self,
        queue: AnnotationQueue,
        picture: Callable[..., bytes],
        why: Callable[[str], dict[str, Any] | None],
        facts: dict[str, Any],
    ) -> None:
        """Ask for the images of another query; pages that are open go on with it."""
        self._take(queue, picture, why, facts)
        self.stage = {"state": ASKING}

    def work(self, text: str, done: int = 0, total: int = 0) -> None:
        """Show what is done meanwhile, and how far it is; `total` 0: that is not known.

        Answers to the last query are taken all the while.
        """
        self.stage = {"state": WORKING, "text": text, "done": done, "total": total}

    def finish(
        self, lines: list[str], pages: dict[str, Callable[[], bytes]], command: str = ""
    ) -> None:
        """Show what came out, a link to the first of some HTML pages, and what to type next.

        Parameters
        ----------
        pages
            What returns each, by the address under which the others link to it.
        """
        self._pages = pages
        link = f"/report?key={self._report_key}" if pages else None
        self.stage = {"state": FINISHED, "lines": lines, "report": link, "command": command}

    def fail(self, message: str) -> None:
        """Show the sentence with which it can't go on."""
        self.stage = {"state": FAILED, "text": message}

    def _take(self, queue: Any, picture: Any, why: Any, facts: dict[str, Any]) -> None:
        self.queue = queue
        self.picture = picture
        self.why = why
        self.facts = facts

    @property
    def url(self) -> str:
        """The link, token included."""
        host = socket.gethostname() if self.host in EVERYWHERE else self.host
        return f"http://{host}:{self.port}/#{self.token}"

    def named(self, host: str) -> bool:
        """Return whether a request's `Host` is this server's, not a name that others point here."""
        if ":" not in host:
            host += ":80"
        name, _, port = host.rpartition(":")
        if port != str(self.port):
            return False
        name = name.lower()
        if self.host in EVERYWHERE and (name == socket.gethostname().lower() or _is_address(name)):
            return True
        return name in (*LOCAL, self.host.lower())

    def run(self) -> None:
        """Serve until `stop` is called from another thread, or Ctrl-C."""
        try:
            self._server.serve_forever(poll_interval=0.05)
        except KeyboardInterrupt:
            pass
        finally:
            self._server.server_close()

    def stop(self) -> None:
        """Let `run` return; to be called from another thread."""
        self._server.shutdown()

    def image(self, fields: dict[str, Any]) -> bytes:
        """Return the file of an image of the query, in the size that is asked for."""
        image = self._image(fields)
        size = fields.get("size")
        if size is not None and size not in SIZES:
            raise InputError(f"`size` is {size!r:.100}: it must be one of {', '.join(SIZES)}")
        with self._one:
            return self.picture(image) if size is None else self.picture(image, size)

    def report(self, fields: dict[str, Any]) -> bytes:
        """Return a page of the report to who has its key: it is opened by a plain link.

        With `page`, that of this address; else the first.
        """
        given = str(fields.get("key", ""))
        if not self._pages or not secrets.compare_digest(given.encode(), self._report_key.encode()):
            raise Refused(401, "open the report by the link on the labelling page")
        address = fields.get("page", next(iter(self._pages)))
        if address not in self._pages:
            raise Refused(404, "there is no such page")
        content = self._pages[address]()
        for other in self._pages:  # as files they link to each other by name
            here = f'href="/report?key={self._report_key}&amp;page={quote(other)}'
            content = content.replace(f'href="{other}'.encode(), here.encode())
        return content

    def start(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the page's facts, classes and progress."""
        self.opened.set()
        if self.queue is None:
            nothing = {"classes": [], "growing": False, "progress": NOTHING}
            return {**self.facts, **nothing, **self.stage}
        classes = {"classes": self.queue.classes, "growing": self.queue.growing}
        progress = _counts(self.queue.progress())
        return {**self.facts, **classes, "progress": progress, "state": self.stage["state"]}

    def stage_of(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return whether pictures are asked for, or what is done instead; and the round."""
        stage = {**self.stage, "round": self.facts.get("round")}
        if stage["state"] in (FINISHED, FAILED):
            self.told.set()
        if self.queue is not None:
            stage["progress"] = _counts(self.queue.progress())
        return stage

    def next(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the next image, and `ahead`, the likely ones after it, to be fetched meanwhile."""
        annotator = _annotator(fields)
        image, *ahead = self.queue.upcoming(annotator) or [None]
        shown = None if image is None else self.queue.facts(image, annotator)
        progress = _counts(self.queue.progress())
        here = self.facts.get("round")
        return {"image": shown, "ahead": ahead, "progress": progress, "round": here}

    def grid(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return a group of images that are likely of one class, and `ahead`, those that follow.

        Without a group: `reason`, a sentence, or nothing if all is answered.
        """
        annotator = _annotator(fields)
        size = _size(fields)
        reason = self._without_grid()
        groups = [] if reason else self.queue.groups(annotator, size)
        progress = self.queue.progress()
        if not groups and not reason and len(progress.open):
            reason = "No two pictures are left for you that the model takes for the same."
        return {
            "group": _shown(groups[0]) if groups else None,
            "ahead": groups[1].images if len(groups) > 1 else [],
            "reason": reason,
            "progress": _counts(progress),
            "round": self.facts.get("round"),
        }

    def _without_grid(self) -> str:
        """Return why there can be no grid; nothing if there can."""
        if self.facts.get("suggest") is False:
            return "Grids are made of the model's guesses, and this page is without (--no-suggestions)."
        if not self.queue.guessed:
            return "Grids are made of a model's guesses: there is no model before the next round."
        return ""

    def facts_of(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return what the page shows of an image."""
        return {"image": self.queue.facts(self._image(fields), _annotator(fields))}

    def answered(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the images that a person may go back to."""
        return {"images": self.queue.answered(_annotator(fields))}

    def overview(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return what a person has labelled."""
        return {"images": self.queue.overview(_annotator(fields))}

    def about(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return what a class means: a sentence, perhaps empty, and images that have its label."""
        name = _field(fields, "name")
        if name not in self.queue.classes:
            raise Refused(404, f"no class {name!r:.100} here")
        described = self.facts.get("descriptions", {})
        return {"text": described.get(name, ""), "examples": self.queue.examples(name)}

    def disputed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the images that people disagree on."""
        return {"images": self.queue.disputed()}

    def reasons(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return why an image was chosen."""
        return {"why": self.why(self._image(fields))}

    def answer(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Store an answer; return its status, and the next image if that is asked for."""
        label = _label(fields)
        status = self.queue.answer(
            image=_field(fields, "image"),
            label=label,
            annotator=_annotator(fields),
            key=_field(fields, "key"),
            seconds=_seconds(fields),
            review=fields.get("review") is True,
        )
        if fields.get("next") is True:
            return {"status": status, **self.next(fields)}
        return {"status": status, "progress": _counts(self.queue.progress())}

    def confirm(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Store an answer for each image of a group; return how many were new, or something else.

        With a `size` the next group comes with it.
        """
        goes_on = fields.get("size") is not None
        if goes_on:
            _size(fields)  # refused before anything is stored
        statuses = self.queue.confirm(
            images=_fields(fields, "images"),
            label=_label(fields),
            annotator=_annotator(fields),
            key=_field(fields, "key"),
            seconds=_seconds(fields),
            exceptions=_fields(fields, "exceptions"),
        )
        if goes_on:
            return {"statuses": statuses, **self.grid(fields)}
        return {"statuses": statuses, "progress": _counts(self.queue.progress())}

    def undo(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Retract a person's newest answer; return its image.

        Of a whole group: `images`, and their `label`.
        """
        annotator = _annotator(fields)
        key = _field(fields, "key")
        image = self.queue.undo(annotator, key)
        images, label = self.queue.retracted(key)
        return {
            "image": None if image is None else self.queue.facts(image, annotator),
            "images": images,
            "label": label,
            "progress": _counts(self.queue.progress()),
        }

    def add_class(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Add a class; return its name and all classes."""
        return {"name": self.queue.add_class(_field(fields, "name")), "classes": self.queue.classes}

    def _image(self, fields: dict[str, Any]) -> str:
        image = _field(fields, "image")
        if not self.queue.knows(image):
            raise Refused(404, f"no image {image!r:.100} in this query")
        return image


def _listening(host: str, port: int, page: Page) -> Server:
    try:
        return Server((host, port), page)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"port {port} is taken, perhaps by this run's page in another terminal: "
                "end that one, or choose another port (--port=0 takes a free one)"
            ) from None
        reason = error.strerror or error
        raise InputError(
            f"no page can be served at {host}, port {port}: {reason}; see --host and --port"
        ) from None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _field(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not _is_text(value):
        raise InputError(f"`{name}` is {value!r:.100}: it must be text")
    return value


def _is_text(value: Any) -> bool:
    """Tell whether a value is text that can be written: JSON may hold half a character."""
    return isinstance(value, str) and not HALF.search(value)


def _fields(fields: dict[str, Any], name: str) -> list[str]:
    values = fields.get(name)
    if not isinstance(values, list) or len(values) > MOST:
        raise InputError(f"`{name}` is {values!r:.100}: it must be a list of at most {MOST} images")
    if not all(map(_is_text, values)):
        raise InputError(f"`{name}` is {values!r:.100}: it must hold text")
    return values


def _label(fields: dict[str, Any]) -> str | None:
    label = fields.get("label")
    if label is not None and not _is_text(label):
        raise InputError(
            f"`label` is {label!r:.100}: it must be a class's name, or null for a skip"
        )
    return label


def _seconds(fields: dict[str, Any]) -> float:
    """Return how long a person looked; NaN if that is not known."""
    seconds = fields.get("seconds")
    measured = isinstance(seconds, int | float) and 0 <= seconds < 86_400
    return float(seconds) if measured else math.nan


def _size(fields: dict[str, Any]) -> int:
    """Return how many images a group may have."""
    size = fields.get("size")
    if type(size) is not int or not FEWEST <= size <= MOST:
        raise InputError(f"`size` is {size!r:.100}: it must be a number from {FEWEST} to {MOST}")
    return size


def _shown(group: Group) -> dict[str, Any]:
    sure = [round(probability, 4) for probability in group.sure]
    return {"label": group.label, "images": group.images, "sure": sure}


def _annotator(fields: dict[str, Any]) -> str:
    """Return the person's name in one spelling, so that it is one person on any machine."""
    return normalised(_field(fields, "annotator"))


def _counts(progress: Progress) -> dict[str, Any]:
    # A skipped image whose place another takes is neither done nor part of the goal.
    return {
        "answered": progress.answered - progress.replaced,
        "total": len(progress.images) - progress.replaced,
        "skipped": progress.count(SKIPPED),
        "review": progress.count(REVIEW),
        "text": str(progress),
    }
