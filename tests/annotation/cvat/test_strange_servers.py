"""Servers that answer strangely where CVAT is looked for: one sentence each, and nothing half taken in."""

import socket
from pathlib import Path

import pandas as pd
import pytest

from pt4al.annotation import server as talking_to
from pt4al.annotation.cvat import client
from pt4al.annotation.cvat.client import Cvat
from pt4al.annotation.cvat.sync import Project, pull, push
from pt4al.annotation.log import AnswerLog
from pt4al.errors import InputError
from support.cvat_server import PAT, Handler, cvat_server, png

MINE = Project("mine", ["cat", "dog"])
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in to the proxy</title></head><body>\nno</body></html>"


def cut_short(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")


def reset(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def asleep(handler: Handler) -> None:
    handler.connection.recv(1)


NONSENSE = {
    "no JSON": (b"hello", "no JSON, but hello"),
    "JSON cut short": (b'{"results": [', "no JSON"),
    "a proxy's page": (PAGE, "a web page, 'Sign in to the proxy'"),
    "a list": ([], "does not answer as CVAT does"),
    "another object": ({"detail": "x"}, "field required"),
    "500 with a page": ((500, PAGE), "status 500: a web page, 'Sign in to the proxy'"),
    "not found": ((404, {"detail": "Not found."}), "status 404"),
    "a redirect": ((302, b""), "sends us to 'https://elsewhere.example/?token=...'"),
    "a token that is refused": ((401, {"detail": "Invalid token."}), "refuses the token (status 401)"),
    "a token that may not": ((403, {"detail": "10 tasks at most"}), "10 tasks at most"),
    "too many requests": ((429, b"slow\ndown"), "status 429: slow down"),
    "a reply cut short": (cut_short, "hangs up"),
    "a connection that is reset": (reset, "hangs up"),
    "no answer": (asleep, "hangs up"),
}
UPLOAD, ANNOTATIONS = "/api/tasks/1/data/", "/api/jobs/101/annotations/"
PLACES = {  # what a push and a pull ask for
    "/api/server/about": push,
    "/api/projects": push,
    "/api/labels": push,
    "/api/tasks": push,
    UPLOAD: push,
    "/api/requests/action%3Dcreate%26target%3Dtask%26id%3D1": push,
    "/api/jobs": pull,
    "/api/tasks/1/data/meta": pull,
    ANNOTATIONS: pull,
}
EVERYWHERE = ("a proxy's page", "a redirect")
CASES = [(what, place) for what in NONSENSE for place in PLACES if what in EVERYWHERE or place in (UPLOAD, ANNOTATIONS)]


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAUSE", 0)
    monkeypatch.setattr(talking_to, "PATIENCE", (1, 0.2))
    monkeypatch.setattr(talking_to.RETRIES, "backoff_factor", 0)


def pushes(server: Cvat) -> object:
    return push(server, MINE, pd.DataFrame({"id": ["i0", "i1"]}), lambda image: png(1))


@pytest.mark.parametrize("what, place", CASES)
def test_an_answer_that_is_none_is_one_sentence_wherever_it_comes(tmp_path: Path, what: str, place: str) -> None:
    answer, told = NONSENSE[what]
    log = AnswerLog(tmp_path)
    with cvat_server() as known, Cvat(known.url, PAT) as server:
        if PLACES[place] is pull or place == "/api/labels":
            pushes(server)
        if PLACES[place] is pull:
            known.tag(101, 0, "cat")
            known.tag(101, 1, "cat")
            known.finish(101)
        known.instead[place] = answer
        with pytest.raises(InputError) as refused:
            pushes(server) if PLACES[place] is push else pull(server, MINE, ["i0", "i1"], log)
        known.instead.clear()
        assert PLACES[place] is pull or place == "/api/labels" or known.tasks == {}
    sentence = str(refused.value)
    assert told in sentence
    assert "\n" not in sentence
    assert PAT not in sentence
    assert len(sentence) < 600
    assert log.read().empty


def test_the_same_page_for_ever_ends(tmp_path: Path) -> None:
    endless = {"count": 9, "next": "more", "results": [{"id": 1, "name": "other"}]}
    with (
        cvat_server({"/api/projects": endless}) as known,
        Cvat(known.url, PAT) as server,
        pytest.raises(InputError, match="the same page again and again"),
    ):
        pull(server, MINE, ["i0"], AnswerLog(tmp_path))


def test_a_proxy_that_does_not_know_the_name_is_told_of() -> None:
    with (
        cvat_server({"/api/server/about": (404, b"404 page not found")}) as known,
        Cvat(known.url, PAT) as server,
        pytest.raises(InputError, match=r"answers to the name alone .* \(CVAT_HOST\)"),
    ):
        pushes(server)


@pytest.mark.parametrize("version", ["1.7.0", "3.0", ""])
def test_a_version_that_we_do_not_know_is_named(version: str) -> None:
    with cvat_server() as known, Cvat(known.url, PAT) as server:
        known.version = {"version": version}
        with pytest.raises(InputError, match=f"has version '{version}': 2.x was expected"):
            pushes(server)


def test_a_server_that_is_not_there_is_named() -> None:
    with Cvat("http://127.0.0.1:1", PAT) as server, pytest.raises(InputError, match="is it running there"):
        server.check()


def test_an_address_or_token_that_is_none_is_one_sentence() -> None:
    with pytest.raises(InputError, match="CVAT's address is 'x'"):
        Cvat("x", PAT)
    with pytest.raises(InputError, match="CVAT's token"):
        Cvat("http://127.0.0.1:1", "two words")
