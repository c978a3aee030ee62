"""Servers that answer strangely where Label Studio is looked for: one sentence each, and nothing half taken in."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from pt4al.annotation import server as client
from pt4al.annotation.label_studio.client import LabelStudio
from pt4al.annotation.label_studio.sync import Project, pull, push
from pt4al.annotation.log import AnswerLog
from pt4al.errors import InputError

TOKEN, REFRESH = "0123456789" * 4, "eyJh.cmVm.c2ln"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in to the proxy</title></head><body>\nno</body></html>"


def annotation(**changed: object) -> dict:
    result = [{"type": "choices", "value": {"choices": ["cat"]}}]
    good = {"id": 7, "completed_by": 1, "was_cancelled": False, "result": result, "updated_at": "2026-01-01T00:00:00Z"}
    return good | changed


def task(number: int, *annotations: object) -> dict:
    return {"id": number, "meta": {"image_id": f"i{number}"}, "annotations": list(annotations)}


GOOD = {
    "/api/version": {"release": "1.23.2"},
    "/api/projects/": {"results": [{"id": 1, "title": "mine", "label_config": "<View/>"}], "next": None},
    "/api/users/": [{"id": 1, "email": "ada@example.org"}],
    "/api/tasks/": {"tasks": [task(0, annotation())], "total": 1},
    "/api/projects/1/import": {},
    "/api/projects/1/": {},
}


class Handler(BaseHTTPRequestHandler):
    """Answers with what its server has for a path: an object, bytes, a status, or a function that writes."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append((self.command, path))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = self.server.content.get(path, 404)
        if callable(said):
            said(self)
            self.close_connection = True
            return
        status, body = said if isinstance(said, tuple) else (200, said)
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if 300 <= status < 400:
            self.send_header("Location", f"https://elsewhere.example/?token={TOKEN}")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(content: dict[str, object]) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.content, server.asked, server.daemon_threads = GOOD | content, [], True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def cut_short(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")


def reset(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def no_http(handler: Handler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")


def not_packed(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")


def two_lengths(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ")


def broken_chunks(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}")


def endless(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        while True:
            handler.wfile.write(b"10000\r\n" + b" " * 2**16 + b"\r\n")
    except OSError:
        pass


def said(content: dict[str, object], tmp_path: Path, call: Callable, token: str = TOKEN) -> str:
    """Return the one sentence; nothing is in the log, and no secret in the sentence."""
    log = AnswerLog(tmp_path)
    with (
        serving(content) as server,
        LabelStudio(f"http://127.0.0.1:{server.server_port}", token) as talking,
        pytest.raises(InputError) as refused,
    ):
        call(talking, log)
    told = str(refused.value)
    assert log.read().empty
    assert "\n" not in told
    assert len(told) < 600
    assert TOKEN not in told
    return told


def pulls(server: LabelStudio, log: AnswerLog) -> object:
    return pull(server, "mine", ["i0", "i1"], ["cat", "dog"], log)


def pushes(server: LabelStudio, log: AnswerLog) -> object:
    images = pd.DataFrame({"id": ["i0", "i1"]})
    return push(server, Project("mine", ["cat", "dog"]), images, lambda image: b"\x89PNG")


NONSENSE = {  # at whichever path it comes
    "no JSON": (b"hello", "no JSON, but hello"),
    "nothing": (b"", "no JSON, but nothing"),
    "a proxy's page": (PAGE, "a web page, 'Sign in to the proxy'"),
    "JSON cut short": (b'{"results": [', "no JSON"),
    "endless nesting": (b"[" * 200_000, "no JSON"),
    "no text": (b"\xff\xfe\x00{", "no JSON"),
    "500 with a page": ((500, PAGE), "status 500: a web page, 'Sign in to the proxy'"),
    "500 with nothing": ((500, b""), "status 500: nothing"),
    "a redirect": ((302, b""), "sends us to 'https://elsewhere.example/?token=...'"),
    "a token that is refused": ((401, b"{}"), "refuses the token (status 401)"),
    "a token that may not": ((403, PAGE), "refuses the token (status 403)"),
    "too many requests": ((429, b"slow\ndown"), "status 429: slow down"),
    "a reply cut short": (cut_short, "hangs up"),
    "a connection that is reset": (reset, "hangs up"),
    "no HTTP": (no_http, "hangs up"),
    "no gzip": (not_packed, "hangs up"),
    "two lengths": (two_lengths, "hangs up"),
    "broken chunks": (broken_chunks, "hangs up"),
}


@pytest.mark.parametrize("answer, told", NONSENSE.values(), ids=NONSENSE)
def test_an_answer_that_is_none_is_one_sentence(tmp_path, monkeypatch, answer, told):
    monkeypatch.setattr(client.RETRIES, "backoff_factor", 0)
    for path in ("/api/version", "/api/tasks/"):
        assert told in said({path: answer}, tmp_path, pulls)


def test_a_huge_answer_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "LARGEST", 2**20)
    assert "more than 1048576 bytes" in said({"/api/tasks/": endless}, tmp_path, pulls)


def listed(**changed: object) -> dict:
    return {"/api/tasks/": {"tasks": [task(0, annotation()), task(1)], "total": 2} | changed}


STRANGE = {  # JSON, and not what was expected
    "a list for an object": ({"/api/version": []}, pulls, "does not answer as Label Studio"),
    "no release": ({"/api/version": {"version": "1.23"}}, pulls, "does not answer as Label Studio"),
    "a release of nonsense": ({"/api/version": {"release": {"1": 2}}}, pulls, "has version"),
    "projects as a list": ({"/api/projects/": []}, pulls, "/api/projects/ does not answer as Label Studio"),
    "projects without results": ({"/api/projects/": {"count": 0}}, pushes, "`results`: field required"),
    "a project that is null": ({"/api/projects/": {"results": [None]}}, pushes, "`results.0`"),
    "a project without title": ({"/api/projects/": {"results": [{"id": 1}]}}, pulls, "`results.0.title`"),
    "users by page": ({"/api/users/": {"results": []}}, pulls, "/api/users/ does not answer as Label Studio"),
    "a user without address": ({"/api/users/": [{"id": 1}]}, pulls, "`0.email`"),
    "tasks as a list": ({"/api/tasks/": []}, pulls, "/api/tasks/ does not answer as Label Studio"),
    "tasks without total": ({"/api/tasks/": {"tasks": []}}, pushes, "`total`"),
    "a total in words": (listed(total="2"), pulls, "`total`"),
    "tasks that are null": (listed(tasks=None), pushes, "`tasks`"),
    "a task without id": (listed(tasks=[task(0, annotation()), {"annotations": []}]), pulls, "`tasks.1.id`"),
    "a task without annotations": (listed(tasks=[{"id": 1}]), pulls, "`tasks.0.annotations`"),
    "an annotation that is a word": (listed(tasks=[task(0, annotation()), task(1, "x")]), pulls, "annotations.0`"),
    "a project made without id": (
        {"/api/projects/": lambda handler: made(handler)},
        pushes,
        "/api/projects/ does not answer as Label Studio",
    ),
    "the same tasks for ever": (listed(total=10**12), pulls, "the same page again and again"),
    "the same projects for ever": (
        {"/api/projects/": {"results": [{"id": 1, "title": "other"}], "next": "more"}},
        pulls,
        "the same page again and again",
    ),
}


def made(handler: Handler) -> None:
    body = b'{"results": []}' if handler.command == "GET" else b"{}"
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.mark.parametrize("content, call, told", STRANGE.values(), ids=STRANGE)
def test_an_answer_of_another_shape_is_one_sentence_and_nothing_is_half_taken_in(tmp_path, content, call, told):
    assert told in said(content, tmp_path, call)


def test_a_refresh_that_brings_no_token_is_one_sentence(tmp_path):
    for answer in ({}, [], {"access": None}, {"access": "two words"}, b"", PAGE, (500, PAGE)):
        assert "/api/token/refresh/" in said({"/api/token/refresh/": answer}, tmp_path, pulls, REFRESH)


ODD = {  # one annotation beside a good one: that is told of alone
    "no id": {"id": None},
    "nobody": {"completed_by": "ada"},
    "a list of people": {"completed_by": [1]},
    "no flag": {"was_cancelled": None},
    "no result": {"result": None},
    "a word for a result": {"result": "cat"},
    "a part that is none": {"result": [None]},
    "no value": {"result": [{"type": "choices", "value": None}]},
    "a word for choices": {"result": [{"type": "choices", "value": {"choices": "cat"}}]},
    "a number for a choice": {"result": [{"type": "choices", "value": {"choices": [1]}}]},
    "no time": {"updated_at": None},
    "a number for a time": {"updated_at": 5},
}


def test_an_odd_annotation_is_told_of_and_the_good_ones_count(tmp_path):
    odd = [annotation(**changed) for changed in ODD.values()]
    missing = [{name: value for name, value in annotation().items() if name != left} for left in annotation()]
    tasks = [task(0, *odd, *missing), task(1, annotation(id=8, lead_time=10**400), annotation(id=9, lead_time="long"))]
    log = AnswerLog(tmp_path)
    with (
        serving({"/api/tasks/": {"tasks": tasks, "total": 2}}) as server,
        LabelStudio(f"http://127.0.0.1:{server.server_port}", TOKEN) as talking,
    ):
        new, problems = pulls(talking, log)
    assert new == 2
    assert log.read()["seconds"].isna().all()
    assert len(problems) == len(odd) + len(missing)
    assert problems["problem"].str.contains("is not as Label Studio writes them: `").all()


@pytest.mark.parametrize("size", [None, -1, 0, 10**9, True, "28", 28.0])
def test_a_mask_of_an_odd_size_is_told_of(tmp_path, size):
    part = {"type": "brushlabels", "value": {"brushlabels": ["cat"], "rle": [1]}, "original_height": size}
    tasks = [task(0, annotation(result=[part | {"original_width": size}]))]
    paints = {"results": [{"id": 1, "title": "mine", "label_config": "<BrushLabels/>"}]}
    with (
        serving({"/api/tasks/": {"tasks": tasks, "total": 1}, "/api/projects/": paints}) as server,
        LabelStudio(f"http://127.0.0.1:{server.server_port}", TOKEN) as talking,
    ):
        new, problems = pulls(talking, AnswerLog(tmp_path))
    assert new == 0
    assert "its picture's size" in problems["problem"].iloc[0]


@pytest.mark.parametrize("url", ["http://[x", "ftp://x", "", "http://", "x", "http://a b", 5, None])
def test_an_address_that_is_none_is_one_sentence(tmp_path, url):
    with pytest.raises(InputError, match="Label Studio"):
        LabelStudio(url, TOKEN).check()
