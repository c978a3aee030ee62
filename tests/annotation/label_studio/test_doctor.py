"""Why pictures don't show: each reason is found on a stand-in, told with what to do, and nothing is changed."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from pt4al.annotation import server as talking_to
from pt4al.annotation.label_studio.client import LabelStudio
from pt4al.annotation.label_studio.doctor import examine
from pt4al.project.cli.commands import cli

TOKEN, REFRESH = "0123456789" * 4, "eyJh.cmVm.c2ln"
PNG = (200, {"Content-Type": "image/png"}, b"\x89PNG of something")
PAGE = (200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><title>Sign in</title>")
OFF = (403, {}, b"Serving local files can be dangerous. You can enable it with LOCAL_FILES_SERVING_ENABLED environment")
FORM = '<View><Choices name="c" toName="i"/><Image name="i" value="$image" zoom="true"/></View>'
GONE = (404, {}, b"{}")


class Handler(BaseHTTPRequestHandler):
    """Answers with what its server has for a path: an object, or status, headers and body."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = self.server.content
        said = content.get(self.path, content.get(self.path.partition("?")[0], GONE))
        if callable(said):
            said(self)
            self.close_connection = True
            return
        status, headers, body = said if isinstance(said, tuple) else (200, {}, json.dumps(said).encode())
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


def label_studio(*addresses: str, **changed: object) -> dict[str, object]:
    """Return what a server answers whose project's tasks have these pictures."""
    tasks = [{"id": number, "data": {"image": address}} for number, address in enumerate(addresses)]
    return {
        "/api/version": {"release": "1.23.2"},
        "/api/token/refresh/": {"access": "access1"},
        "/api/current-user/whoami": {"id": 1, "email": "ada@example.org"},
        "/api/projects/": {"results": [{"id": 1, "title": "mine", "label_config": FORM}], "next": None},
        "/api/tasks/": {"tasks": tasks, "total": len(tasks)},
        "/api/storages/localfiles": [],
        **changed,
    }


@contextmanager
def serving(content: dict[str, object]) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.content, server.asked, server.daemon_threads = content, [], True
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def found(content: dict[str, object], token: str = TOKEN) -> list[tuple[str, bool, str]]:
    """Return the findings; one line each, nothing is written, and no token is told."""
    with serving(content) as server, LabelStudio(server.url, token) as talking:
        findings = [(finding.what, finding.ok, finding.sentence) for finding in examine(talking, "mine")]
    assert {method for method, path, _ in server.asked if path != "/api/token/refresh/"} <= {"GET"}
    for _, _, sentence in findings:
        assert "\n" not in sentence
        assert token not in sentence
        assert len(sentence) < 700
    return findings


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talking_to, "PATIENCE", (1, 0.3))
    monkeypatch.setattr(talking_to.RETRIES, "backoff_factor", 0)


@pytest.mark.parametrize("token, kind", [(TOKEN, "a legacy token"), (REFRESH, "a personal access token")])
def test_what_is_right_is_said_in_order(token: str, kind: str) -> None:
    uploaded = "/data/upload/1/ab-x.png"
    findings = found(label_studio("data:image/png;base64,AA", uploaded, **{uploaded: PNG}), token)
    assert all(ok for _, ok, _ in findings)
    assert [what for what, _, _ in findings] == ["server", "token", "project", "tasks", "picture", "picture"]
    assert "Label Studio 1.23.2 answers at" in findings[0][2]
    assert findings[1][2] == f"{kind}, of ada@example.org"
    assert "of 2 of 2 tasks, pictures are within the task (1), uploaded to the server (1)" in findings[3][2]
    assert "status 200, image/png" in findings[5][2]


def test_local_files_that_are_right_are_served() -> None:
    local = "/data/local-files/?d=sub/deeper/x.png"
    storages = [{"path": "/media/other"}, {"path": "/media/sub"}]
    findings = found(label_studio(local, **{"/api/storages/localfiles": storages, local: PNG}))
    assert [(what, ok) for what, ok, _ in findings[4:]] == [("storage", True), ("picture", True)]
    paged = {"count": 2, "results": storages}
    assert found(label_studio(local, **{"/api/storages/localfiles": paged, local: PNG}))[4][1]


def test_local_files_that_another_projects_storage_serves_are_no_fault() -> None:
    for storages in ([], [{"path": "/media/other"}]):
        findings = found(label_studio(LOCAL, **{"/api/storages/localfiles": storages, LOCAL: PNG}))
        assert all(ok for _, ok, _ in findings)
        assert "another project's does" in findings[4][2]


LOCAL = "/data/local-files/?d=sub/x.png"
SUB = {"/api/storages/localfiles": [{"path": "/media/sub"}]}
WRONG = {  # what a server answers, which check is wrong, and what is said
    "an old version": (label_studio(**{"/api/version": {"release": "0.9"}}), "server", "has version 0.9"),
    "another program": (label_studio(**{"/api/version": PAGE}), "server", "a web page, 'Sign in'"),
    "a redirect": (
        label_studio(**{"/api/version": (302, {"Location": "https://elsewhere.example/"}, b"")}),
        "server",
        "sends us to 'https://elsewhere.example/'",
    ),
    "broken JSON": (label_studio(**{"/api/version": (200, {}, b'{"release": ')}), "server", "no JSON"),
    "a broken server": (label_studio(**{"/api/version": (500, {}, b"oops")}), "server", "status 500: oops"),
    "a wrong token": (
        label_studio(**{"/api/current-user/whoami": (401, {}, b"{}")}),
        "token",
        "refuses the token (status 401): is it current?; it is a legacy token",
    ),
    "no project": (
        label_studio(**{"/api/projects/": {"results": [], "next": None}}),
        "project",
        "there is no project 'mine' that this token may see",
    ),
    "a form without a picture": (
        label_studio(**{"/api/projects/": {"results": [{"id": 1, "title": "mine", "label_config": "<View/>"}]}}),
        "tasks",
        "has no <Image>",
    ),
    "no tasks": (label_studio(), "tasks", "has no tasks"),
    "another name in the data": (
        label_studio(**{"/api/tasks/": {"tasks": [{"id": 5, "data": {"img": "x"}}], "total": 1}}),
        "tasks",
        "shows $image, but task 5 has no such text in its data (it has img)",
    ),
    "no storage": (label_studio(LOCAL), "storage", "has no storage of local files: add one"),
    "a storage elsewhere": (
        label_studio(LOCAL, **{"/api/storages/localfiles": [{"path": "/media/other"}]}),
        "storage",
        "is in no storage of the project ('/media/other')",
    ),
    "backslashes": (label_studio("/data/local-files/?d=sub%5Cx.png", **SUB), "storage", "has backslashes"),
    "local files that are switched off": (
        label_studio(LOCAL, **SUB, **{LOCAL: OFF}),
        "picture",
        "serves no local files: start Label Studio with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true",
    ),
    "a local file that is not there": (label_studio(LOCAL, **SUB), "picture", "below LOCAL_FILES_DOCUMENT_ROOT"),
    "an upload that is lost": (label_studio("/data/upload/1/x.png"), "picture", "lost with a container"),
    "a page for a picture": (
        label_studio("/data/upload/1/x.png", **{"/data/upload/1/x.png": PAGE}),
        "picture",
        "brings text/html, and no picture",
    ),
    "a form to sign in": (
        label_studio("/data/upload/1/x.png", **{"/data/upload/1/x.png": (302, {"Location": "/user/login/"}, b"")}),
        "picture",
        "sign in there",
    ),
    "a picture that is refused": (
        label_studio("/data/upload/1/x.png", **{"/data/upload/1/x.png": (403, {}, b"no")}),
        "picture",
        "is refused (status 403)",
    ),
    "an upload that breaks the server": (
        label_studio("/data/upload/1/x.png", **{"/data/upload/1/x.png": (500, {}, b"no")}),
        "picture",
        "is not there (status 500): was the server's folder of uploads moved",
    ),
    "a local file that breaks the server": (
        label_studio(LOCAL, **SUB, **{LOCAL: (500, {}, b"no")}),
        "picture",
        "gave status 500: look into that server's log",
    ),
    "a picture for which nobody answers": (
        label_studio("/data/upload/1/x.png", **{"/data/upload/1/x.png": lambda handler: handler.connection.recv(1)}),
        "picture",
        "/data/upload/1/x.png' (ConnectionError)",
    ),
    "a path on a disk": (label_studio("/home/ada/x.png"), "picture", "no browser can open '/home/ada/x.png'"),
    "a path on Windows": (label_studio("C:\\x.png"), "picture", "no browser can open"),
    "a bucket without storage": (label_studio("s3://bucket/x.png"), "picture", "add that bucket"),
    "text within the task": (label_studio("data:text/plain,hello"), "picture", "which is no picture"),
    "a host that is not there": (label_studio("http://127.0.0.1:1/x.png"), "picture", "nothing answers at"),
}


@pytest.mark.parametrize("content, what, told", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_with_what_to_do(content: dict[str, object], what: str, told: str) -> None:
    findings = found(content)
    assert (findings[-1][0], findings[-1][1]) == (what, False) or what == "storage"
    wrong = [(checked, sentence) for checked, ok, sentence in findings if not ok]
    assert wrong[0][0] == what
    assert told in wrong[0][1]


def test_a_picture_of_another_server_must_permit_our_pages_and_never_sees_the_token() -> None:
    free = (200, {"Content-Type": "image/jpeg", "Access-Control-Allow-Origin": "*"}, b"x")
    with serving({"/free.jpg": free, "/mine.jpg": PNG}) as elsewhere:
        secret = "?X-Amz-Signature=hidden"
        wrong = found(label_studio(f"{elsewhere.url}/mine.jpg{secret}"))[-1]
        assert (wrong[0], wrong[1]) == ("picture", False)
        assert "Access-Control-Allow-Origin: none): permit them in the CORS settings" in wrong[2]
        assert "hidden" not in wrong[2]
        assert found(label_studio(f"{elsewhere.url}/free.jpg"))[-1][1]
        resolve = "/tasks/1/resolve/?fileuri=czM6"
        there = (303, {"Location": f"{elsewhere.url}/free.jpg{secret}"}, b"")
        right = found(label_studio(resolve, **{resolve: there}))
        assert "in a cloud, through the server (1)" in right[3][2]
        assert right[-1][1]
    assert all("Authorization" not in headers for _, _, headers in elsewhere.asked)
    assert all(headers["Origin"].startswith("http://127.0.0.1:") for _, _, headers in elsewhere.asked)


def test_http_pictures_on_an_https_page_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with LabelStudio("https://127.0.0.1:1", TOKEN) as server:
        answers = label_studio("http://127.0.0.1:2/x.png")
        monkeypatch.setattr(server, "_ask", lambda method, path, shape, **_: answers[path])
        monkeypatch.setattr(server, "check", lambda signed: "1.23.2")
        assert "browsers block that" in list(examine(server, "mine"))[-1].sentence


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Callable:
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf/base").mkdir(parents=True)
    (tmp_path / "conf/local").mkdir()
    project = SimpleNamespace(project_path=tmp_path)
    return lambda url: CliRunner().invoke(
        cli, ["label-studio", "doctor", "--project=mine", f"--url={url}"], obj=project
    )


def test_the_exit_status_is_1_if_something_is_wrong(doctor) -> None:
    with serving(label_studio("data:image/png;base64,AA")) as server:
        right = doctor(server.url)
    assert right.exit_code == 0, right.output
    assert right.output.startswith("ok     server: Label Studio 1.23.2 answers at")
    with serving(label_studio("/home/x.png")) as server:
        wrong = doctor(server.url)
    assert wrong.exit_code == 1
    assert wrong.output.splitlines()[-1].startswith("wrong  picture: no browser can open")
    gone = doctor("http://127.0.0.1:1")
    assert gone.exit_code == 1
    assert gone.output.count("\n") == 1
    assert "is it running there?" in gone.output
