"""A stand-in for a CVAT server, after its OpenAPI schema (2.17, 2.80) and the sources of server and SDK.

It knows the paths that are used, refuses what the real one refuses (no token, another `Accept`, labels with names
that are there, data that is uploaded twice or out of turn), sorts pictures by name, and cuts tasks into jobs.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from PIL import Image

PAT = "abcdefgh." + "0123456789" * 3
LEGACY = "0123456789" * 4
PAGES = 2  # entries of a list in one reply at most: small, so that there are several pages

Answer = tuple[int, object]


@dataclass
class StandIn:
    """What a server knows, and what it was asked."""

    version: object = field(default_factory=lambda: {"name": "CVAT", "description": "", "version": "2.80.0"})
    projects: dict[int, dict] = field(default_factory=dict)
    labels: dict[int, dict] = field(default_factory=dict)
    tasks: dict[int, dict] = field(default_factory=dict)
    jobs: dict[int, dict] = field(default_factory=dict)
    frames: dict[int, list[dict]] = field(default_factory=dict)  # by task
    removed: dict[int, list[int]] = field(default_factory=dict)  # by task
    annotations: dict[int, dict] = field(default_factory=dict)  # by job
    uploading: dict[int, dict[str, bytes]] = field(default_factory=dict)  # by task
    instead: dict[str, object] = field(default_factory=dict)  # a path's answer, or what writes it
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    requests: list[str] = field(default_factory=lambda: ["queued", "started", "finished"])  # statuses, in turn
    minutes: int = 0
    url: str = ""

    def answer(self, method: str, path: str, query: dict[str, str], body: object) -> Answer:
        match method, path.strip("/").split("/")[1:]:
            case "GET", ["server", "about"]:
                return 200, self.version
            case "GET", ["projects"]:
                return self.page(self.projects, query, "name")
            case "POST", ["projects"]:
                number = len(self.projects) + 1
                self.projects[number] = {"id": number, "name": body["name"], "labels": {"url": "..."}}
                return 201, self.add_labels(number, body["labels"]) or self.projects[number]
            case "PATCH", ["projects", number]:
                refused = self.add_labels(int(number), body["labels"])
                return (400, refused) if refused else (200, self.projects[int(number)])
            case "GET", ["labels"]:
                return self.page(self.labels, query, "project_id")
            case "GET", ["tasks"]:
                return self.page(self.tasks, query, "project_id")
            case "POST", ["tasks"]:
                number = max(self.tasks, default=0) + 1
                self.tasks[number] = {"id": number, "size": 0, "mode": "", "segment_size": 0, **body}
                return 201, self.tasks[number]
            case "DELETE", ["tasks", number]:
                del self.tasks[int(number)]
                return 204, None
            case "POST", ["tasks", number, "data"]:
                return self.data(int(number), query, body)
            case "GET", ["tasks", number, "data", "meta"]:
                frames = self.frames[int(number)]
                removed = self.removed.get(int(number), [])
                return 200, {"size": len(frames), "image_quality": 95, "frames": frames, "deleted_frames": removed}
            case "GET", ["requests", number]:
                return self.status(unquote(number))
            case "GET", ["jobs"]:
                return self.page(self.jobs, query, "task_id")
            case "GET", ["jobs", number, "annotations"]:
                return 200, {"version": 0, "tracks": [], **self.annotations[int(number)]}
        return 404, {"detail": "Not found."}

    def page(self, table: dict[int, dict], query: dict[str, str], by: str) -> Answer:
        rows = [row for row in table.values() if str(row[by]) == query.get(by, str(row[by]))]
        size = min(int(query["page_size"]), PAGES)
        first = (int(query["page"]) - 1) * size
        more = first + size < len(rows)
        following = f"{self.url}/api/?page={int(query['page']) + 1}" if more else None
        return 200, {"count": len(rows), "next": following, "previous": None, "results": rows[first : first + size]}

    def add_labels(self, project: int, labels: list[dict]) -> list[str]:
        taken = {label["name"] for label in self.labels.values() if label["project_id"] == project}
        if taken & {label["name"] for label in labels}:
            return ["All label names must be unique"]
        for label in labels:
            number = len(self.labels) + 11
            self.labels[number] = {"id": number, "project_id": project, "attributes": [], **label}
        return []

    def data(self, task: int, headers: dict[str, str], body: object) -> Answer:
        """Take one step of an upload."""
        if "Upload-Start" in headers:
            self.uploading[task] = {}
            return 202, None
        if "Upload-Multiple" in headers:
            self.uploading[task] |= body
            return 200, None
        if "image_quality" not in body or task in self.frames or not self.uploading[task]:
            return 400, ["No media data found"]
        self.frames[task] = [
            {"name": name, "width": size[0], "height": size[1], "related_files": 0}
            for name, size in ((name, Image.open(BytesIO(file)).size) for name, file in self.sorted(task))
        ]
        return 202, {"rq_id": f"action=create&target=task&id={task}"}

    def sorted(self, task: int) -> list[tuple[str, bytes]]:
        return sorted(self.uploading[task].items())

    def status(self, request: str) -> Answer:
        status = self.requests.pop(0) if len(self.requests) > 1 else self.requests[0]
        if status == "finished":
            self.make_jobs(int(request.rpartition("=")[2]))
        return 200, {
            "id": request,
            "status": status,
            "message": "boom: images are broken" if status == "failed" else "",
        }

    def make_jobs(self, task: int) -> None:
        described = self.tasks[task]
        described |= {"size": len(self.frames[task]), "mode": "annotation"}
        size = described["segment_size"] or described["size"]
        for first in range(0, described["size"], size):
            frames = {"start_frame": first, "stop_frame": min(first + size, described["size"]) - 1}
            parent = self.make_job(task, type="annotation", parent_job_id=None, **frames)
            for _ in range(described.get("consensus_replicas", 0)):
                self.make_job(task, type="replica", parent_job_id=parent, **frames)

    def make_job(self, task: int, **described: object) -> int:
        number = len(self.jobs) + 101
        start = {"state": "new", "stage": "annotation", "assignee": None, "updated_date": self.now()}
        self.jobs[number] = {"id": number, "task_id": task, **start, **described}
        self.annotations[number] = {"tags": [], "shapes": []}
        return number

    def now(self) -> str:
        self.minutes += 1
        return f"2026-01-01T{self.minutes // 60:02d}:{self.minutes % 60:02d}:00.123456Z"

    # What people do in a browser.

    def label(self, name: str) -> int:
        return next(label["id"] for label in self.labels.values() if label["name"] == name)

    def tag(self, job: int, frame: int, *names: str) -> None:
        """Make these the tags of a frame."""
        kept = [tag for tag in self.annotations[job]["tags"] if tag["frame"] != frame]
        tags = [{"id": 1, "frame": frame, "label_id": self.label(name), "source": "manual"} for name in names]
        self.annotations[job]["tags"] = kept + tags
        self.jobs[job]["updated_date"] = self.now()

    def paint(self, job: int, frame: int, name: str, points: list[float], **changed: object) -> None:
        shape = {"type": "mask", "frame": frame, "label_id": self.label(name), "points": points, "z_order": 0}
        self.annotations[job]["shapes"].append(shape | changed)
        self.jobs[job]["updated_date"] = self.now()

    def finish(self, job: int, who: str | None = None, state: str = "completed") -> None:
        self.jobs[job] |= {"state": state, "updated_date": self.now()}
        if who:
            self.jobs[job]["assignee"] = {"url": "...", "id": 1, "username": who}


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's stand-in does."""

    protocol_version = "HTTP/1.1"

    def do(self) -> None:
        known: StandIn = self.server.known
        url = urlsplit(self.path)
        path = url.path
        known.asked.append((self.command, path))
        known.headers.append(dict(self.headers))
        body = self.body(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        instead = known.instead.get(path)
        if callable(instead):
            instead(self)
            self.close_connection = True
            return
        if instead is not None:
            self.say(*(instead if isinstance(instead, tuple) else (200, instead)))
            return
        if path != "/api/server/about" and self.headers["Authorization"] not in (f"Bearer {PAT}", f"Token {LEGACY}"):
            self.say(401, {"detail": "Invalid token."})
            return
        if self.headers["Accept"] != "application/vnd.cvat+json":
            self.say(406, {"detail": "Could not satisfy the request Accept header."})
            return
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.say(*known.answer(self.command, path, query | dict(self.headers), body))

    do_GET = do_POST = do_PATCH = do_DELETE = do

    def body(self, read: bytes) -> object:
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + read)
            parts = {part.get_filename(): part.get_payload(decode=True) for part in message.iter_parts()}
            return {name: content for name, content in parts.items() if name}
        return json.loads(read) if read else None

    def say(self, status: int, content: object) -> None:
        body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if 300 <= status < 400:
            self.send_header("Location", f"https://elsewhere.example/?token={PAT}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def cvat_server(instead: dict[str, object] | None = None) -> Iterator[StandIn]:
    """Serve a stand-in on 127.0.0.1; `instead`: other answers by path, or functions that write them."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.known = StandIn(instead=instead or {}, url=f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.known
        server.shutdown()


def png(number: int, height: int = 6, width: int = 8) -> bytes:
    """Return a picture of one grey."""
    file = BytesIO()
    Image.fromarray(np.full((height, width), number % 256, np.uint8)).save(file, "PNG")
    return file.getvalue()


Writes = Callable[[Handler], None]
