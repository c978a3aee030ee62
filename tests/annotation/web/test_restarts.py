"""The page's server killed and started again, again and again: no answer is lost, none counts twice."""

import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from pt4al.annotation.log import AnswerLog
from pt4al.annotation.web import link

LABELS = ["cat", "dog", "bird"]
# Imports once; then, for each line that it reads, serves as `kedro label` does, in a process of its own.
NURSERY = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.queue import AnnotationQueue
from pt4al.annotation.web import link
from pt4al.annotation.web.server import Page
from pt4al.annotation.aggregation import Policy
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
folder, images = Path(sys.argv[1]), int(sys.argv[2])
for line in sys.stdin:
    if os.fork() == 0:
        query = pd.DataFrame({"id": [f"i{number}" for number in range(images)]})
        classes = ["cat", "dog", "bird"]
        guesses = query.assign(label=[classes[number % 3] for number in range(images)], probability=0.9)
        if line.startswith("dies"):
            def part(self, text):
                with self.path.open("ab") as file:
                    file.write(text.encode()[: len(text) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            AnswerLog._append = part
        queue = AnnotationQueue(AnswerLog(folder), query, Policy(), classes, guesses)
        kept = link.read(folder / "page.json") or link.Link(0, None)
        page = Page(queue, lambda image: b"", port=kept.port, token=kept.token)
        link.keep(folder / "page.json", link.Link(page.port, page.token))
        print(os.getpid(), flush=True)
        page.run()
"""


class Server:
    """Killed and started again, it has the link that it had."""

    def __init__(self, nursery: subprocess.Popen):
        self._nursery = nursery
        self.start()

    def start(self, how: str = "serves") -> None:
        self._nursery.stdin.write(how + "\n")
        self._nursery.stdin.flush()
        self.process = int(self._nursery.stdout.readline())

    def kill(self) -> None:
        os.kill(self.process, signal.SIGKILL)

    def restart(self, seconds: float) -> None:
        """Kill it so many seconds from now, and start it again."""
        time.sleep(seconds)
        self.kill()
        self.start()


@contextmanager
def nursery(folder: Path, images: int) -> Iterator[Server]:
    command = [sys.executable, "-c", NURSERY, str(folder), str(images)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        server = Server(process)
        yield server
        server.kill()
        process.stdin.close()


class Tab:
    """Talks as the page does: by the link that it was opened with, the same request again until it is answered."""

    def __init__(self, file: Path):
        self._link, self._connection = link.read(file), None

    def __enter__(self) -> "Tab":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, path: str, body: dict) -> dict:
        headers = {"X-Token": self._link.token, "Content-Type": "application/json"}
        end = time.monotonic() + 30
        while time.monotonic() < end:
            self._connection = self._connection or http.client.HTTPConnection("127.0.0.1", self._link.port, timeout=10)
            try:
                self._connection.request("POST", path, json.dumps(body), headers)
                reply = self._connection.getresponse()
                told = reply.read()
            except (OSError, http.client.HTTPException):
                self._connection.close()
                self._connection = None
                time.sleep(0.01)
                continue
            assert reply.status == 200, told
            return json.loads(told)
        pytest.fail("the server did not come back by the old link")


@pytest.mark.parametrize(
    ("restarts", "images"), [(4, 80), pytest.param(20, 400, marks=pytest.mark.slow)], ids=["daily", "thorough"]
)
def test_no_answer_is_lost_and_none_counts_twice_however_often_the_server_is_killed(tmp_path, restarts, images):
    said, sent, turns = {}, set(), iter(range(restarts))
    with nursery(tmp_path, images) as server, Tab(tmp_path / "page.json") as tab, ThreadPoolExecutor(1) as killer:
        image = tab.ask("/api/next", {"annotator": "Ada"})["image"]
        while image is not None:
            label, key = LABELS[len(said) % 3], uuid.uuid4().hex
            if len(said) % (images // restarts) == 3:
                killed = killer.submit(server.restart, 0.001 * next(turns))  # at another moment of an answer each time
            body = {"image": image["id"], "label": label, "annotator": "Ada", "key": key, "next": True}
            said[image["id"]] = label
            sent.add(key)
            image = tab.ask("/api/answer", body)["image"]
            if len(said) % (images // restarts) == 0:
                killed.result()
    assert next(turns, None) is None
    history = AnswerLog(tmp_path).read()
    assert len(said) == images
    assert dict(zip(history["id"], history["label"], strict=True)) == said
    assert sorted(history["key"]) == sorted(sent)


def confirmation(group: dict, key: str) -> dict:
    """Return the body with which a page confirms a group, but for its last image."""
    *images, other = group["images"]
    body = {"images": images, "exceptions": [other], "label": group["label"], "annotator": "Ada", "key": key}
    return body | {"size": 20, "seconds": 10}


@pytest.mark.parametrize(
    ("restarts", "images"), [(4, 200), pytest.param(20, 1000, marks=pytest.mark.slow)], ids=["daily", "thorough"]
)
def test_no_answer_of_a_grid_is_lost_and_none_counts_twice_however_often_the_server_is_killed(
    tmp_path, restarts, images
):
    said, turns, groups = {}, iter(range(restarts)), 0
    with nursery(tmp_path, images) as server, Tab(tmp_path / "page.json") as tab, ThreadPoolExecutor(1) as killer:
        killed = None
        group = tab.ask("/api/grid", {"annotator": "Ada", "size": 20})["group"]
        while group is not None:
            if groups % 2 == 0 and (turn := next(turns, None)) is not None:
                killed = killer.submit(server.restart, 0.001 * turn)
            body = confirmation(group, uuid.uuid4().hex)
            said |= dict.fromkeys(body["images"], body["label"])
            group = tab.ask("/api/confirm", body)["group"]
            groups += 1
            if killed is not None:
                killed.result()
    history = AnswerLog(tmp_path).read()
    assert len(said) > 0.9 * images
    assert dict(zip(history["id"], history["label"], strict=True)) == said
    assert set(history["source"]) == {"grid"}


def test_half_a_confirmation_is_never_acknowledged_and_its_other_half_is_written_when_it_is_sent_again(tmp_path):
    with nursery(tmp_path, 60) as server, Tab(tmp_path / "page.json") as tab, ThreadPoolExecutor(1) as page:
        group = tab.ask("/api/grid", {"annotator": "Ada", "size": 20})["group"]
        server.kill()
        server.start("dies in the middle of its first answers")
        body = confirmation(group, "k")
        acknowledged = page.submit(tab.ask, "/api/confirm", body)
        end = time.monotonic() + 30
        while not 0 < len(AnswerLog(tmp_path).read()) < 19:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert not acknowledged.done()
        half = len(AnswerLog(tmp_path).read())
        server.start()
        statuses = acknowledged.result(30)["statuses"]
    history = AnswerLog(tmp_path).read()
    assert statuses == {"again": half, "new": 19 - half}
    assert history["id"].tolist() == body["images"]


def test_half_an_undo_is_completed_when_it_is_sent_again(tmp_path):
    with nursery(tmp_path, 60) as server, Tab(tmp_path / "page.json") as tab, ThreadPoolExecutor(1) as page:
        group = tab.ask("/api/grid", {"annotator": "Ada", "size": 20})["group"]
        body = confirmation(group, "k")
        tab.ask("/api/confirm", body)
        server.kill()
        server.start("dies in the middle of its first answers")
        acknowledged = page.submit(tab.ask, "/api/undo", {"annotator": "Ada", "key": "u"})
        end = time.monotonic() + 30
        while len(AnswerLog(tmp_path).read()) == 19:
            assert time.monotonic() < end
            time.sleep(0.01)
        server.start()
        assert acknowledged.result(30)["images"] == body["images"]
    history = AnswerLog(tmp_path).read()
    assert sorted(history["undoes"].dropna()) == sorted(history["key"][history["undoes"].isna()])


def test_the_link_is_kept_beside_the_run_for_its_owner_alone(tmp_path):
    file = tmp_path / "run" / "page.json"
    assert link.read(file) is None
    link.keep(file, link.Link(4321, "t" * 32))
    assert link.read(file) == link.Link(4321, "t" * 32)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    link.keep(file, link.Link(4321, "t" * 32))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["page.json"]


DAMAGED = {
    "empty": b"",
    "cut": b'{"port"',
    "a list": b"[]",
    "no text": b"\xff\xfe",
    "no token": b'{"port": 4321}',
    "an empty token": b'{"port": 4321, "token": ""}',
    "a port in words": b'{"port": "4321", "token": "' + b"t" * 32 + b'"}',
    "a port that is none": b'{"port": 99999, "token": "' + b"t" * 32 + b'"}',
    "a token of no header": b'{"port": 4321, "token": "' + b"t" * 32 + b'\\r\\n"}',
    "endless": b"[" * 99_999,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_link_that_is_damaged_is_told_and_the_page_gets_another(tmp_path, caplog, content):
    (tmp_path / "page.json").write_bytes(content)
    assert link.read(tmp_path / "page.json") is None
    assert "page.json" in caplog.text
