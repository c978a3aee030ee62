"""Label Studio without its server: recorded answers of a real one are read, and a small stand-in is talked to."""

import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pt4al.annotation.label_studio import sync
from pt4al.annotation.label_studio.brush import encode
from pt4al.annotation.label_studio.client import LabelStudio
from pt4al.annotation.label_studio.results import Labels, answers
from pt4al.annotation.label_studio.sync import Project, pull, push
from pt4al.annotation.log import AnswerLog
from pt4al.errors import InputError

EXPORTS = Path(__file__).parent / "exports"
NAMES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
IDS = [f"{number:05}" for number in range(8)]
TOKEN, REFRESH = "0123456789" * 4, "eyJh.cmVm.c2ln"
PNG = b"\x89PNG of "


@dataclass
class StandIn:
    """What a server knows, and what it was asked."""

    projects: list[dict] = field(default_factory=list)
    tasks: list[dict] = field(default_factory=list)
    users: list[dict] = field(default_factory=list)
    version: dict = field(default_factory=lambda: {"release": "1.23.2"})
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[object] = field(default_factory=list)
    access: int = 0  # how many access tokens were given
    failures: list[int] = field(default_factory=list)  # statuses to answer with first
    url: str = ""

    def answer(self, method: str, path: str, query: dict, body: dict | list) -> tuple[int, object]:
        if path == "/api/projects/" and method == "POST":
            self.projects.append({"id": len(self.projects) + 1, **body})
            return 201, self.projects[-1]
        if path == "/api/projects/":
            page, size = int(query["page"]), 2  # small, so that there are several
            found = self.projects[(page - 1) * size : page * size]
            return 200, {"results": found, "next": "more" if page * size < len(self.projects) else None}
        if method == "PATCH":
            self.projects[int(path.split("/")[3]) - 1] |= body
            return 200, {}
        if path.endswith("/import"):
            project = int(path.split("/")[3])
            self.tasks += [
                {"id": len(self.tasks) + n, "annotations": [], "project": project} | t for n, t in enumerate(body)
            ]
            return 201, {}
        if path == "/api/tasks/":
            mine = [task for task in self.tasks if task["project"] == int(query["project"])]
            first, size = (int(query["page"]) - 1) * int(query["page_size"]), int(query["page_size"])
            return 200, {"tasks": mine[first : first + size], "total": len(mine)}
        if path == "/api/version":
            return 200, self.version
        return (200, self.users) if path == "/api/users/" else (404, {"detail": "Not found."})


def served(known: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            parts = urlsplit(self.path)
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
            known.asked.append((self.command, parts.path))
            known.bodies.append(body)
            if known.failures:
                status, told = known.failures.pop(0), {"detail": f"no: {self.headers.get('Authorization')}"}
            elif parts.path == "/api/token/refresh/":
                known.access += 1
                good = body == {"refresh": REFRESH} and "Authorization" not in self.headers
                status, told = (200, {"access": f"access{known.access}"}) if good else (401, {})
            elif self.headers.get("Authorization") in (f"Token {TOKEN}", f"Bearer access{known.access}"):
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                status, told = known.answer(self.command, parts.path, query, body)
            else:
                status, told = 401, {}
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(told if isinstance(told, bytes) else json.dumps(told).encode())

        do_GET = do_POST = do_PATCH = reply

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def known() -> Iterator[StandIn]:
    stand_in = StandIn()
    with ThreadingHTTPServer(("127.0.0.1", 0), served(stand_in)) as http:
        stand_in.url = f"http://127.0.0.1:{http.server_port}"
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield stand_in
        http.shutdown()


@pytest.fixture
def server(known: StandIn) -> Iterator[LabelStudio]:
    with LabelStudio(known.url, TOKEN) as talking:
        yield talking


def images(number: int) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"{n:05}" for n in range(number)]})


def picture(image: str) -> bytes:
    return PNG + image.encode()


def recorded(name: str, tmp_path: Path, classes: list[str], **settings: object) -> tuple[list, pd.DataFrame, AnswerLog]:
    found, log = json.loads((EXPORTS / f"{name}.json").read_text()), AnswerLog(tmp_path)
    people = {person["id"]: person["email"] for person in found["users"]}
    return *answers(found["tasks"], people, set(IDS), Labels(classes, log, **settings)), log


def test_what_two_people_chose_is_read_and_what_is_wrong_is_named(tmp_path: Path) -> None:
    found, problems, _ = recorded("choices", tmp_path, NAMES)
    said = {(answer.id, answer.annotator[:3]): answer.label for answer in found}
    assert said == {
        ("00000", "ada"): "Trouser",
        ("00000", "bea"): "Dress",
        ("00001", "ada"): "Sandal",
        ("00001", "bea"): None,  # skipped, though a choice is there
        ("00002", "ada"): "Dress",
        ("00003", "ada"): "Coat",
        ("00004", "ada"): "T-shirt/top",
        ("00005", "ada"): "Sneaker",
        ("00005", "bea"): "Sneaker",
        ("00006", "ada"): "Trouser",
        ("00006", "bea"): "Trouser",
    }
    assert [answer.at for answer in found] == sorted(answer.at for answer in found)
    assert found[0].seconds == 2 and np.isnan(found[-1].seconds)
    assert found[0].key == f"label_studio:5:{found[0].at}"
    assert problems.to_dict("records") == [
        {
            "task": 6,
            "annotation": 10,
            "id": "00002",
            "problem": "label 'Trousers' is no class: did you mean 'Trouser'?",
        },
        {
            "task": 7,
            "annotation": 12,
            "id": "00003",
            "problem": "2 classes ('Coat', 'Shirt') were chosen: one was expected",
        },
        {"task": 8, "annotation": 14, "id": "00004", "problem": "0 classes were chosen: one was expected"},
    ]


def test_an_export_says_the_same_as_the_list_of_tasks(tmp_path: Path) -> None:
    found, problems, log = recorded("choices", tmp_path, NAMES)
    exported = json.loads((EXPORTS / "choices_export.json").read_text())
    people = {1: "ada@example.org", 2: "bea@example.org"}
    again, same = answers(exported, people, set(IDS), Labels(NAMES, log))
    # An export gives the seconds as they are; nobody knows is not equal to nobody knows.
    assert [(a.key, a.label, a.annotator, a.at) for a in again] == [(a.key, a.label, a.annotator, a.at) for a in found]
    assert same.equals(problems)


def test_an_image_of_another_run_is_named_and_an_unknown_person_has_a_number(tmp_path: Path) -> None:
    tasks = json.loads((EXPORTS / "choices.json").read_text())["tasks"]
    found, problems = answers(tasks, {}, {"00000"}, Labels(NAMES, AnswerLog(tmp_path)))
    assert [answer.annotator for answer in found] == ["user 1", "user 2"]
    assert problems["problem"].iloc[0] == "image id '00001' is not in this run's queries"


def test_strokes_of_the_real_page_become_masks(tmp_path: Path) -> None:
    strokes = [each["painted"] for each in json.loads((EXPORTS / "brushes.json").read_text())[2:4]]
    found, problems, log = recorded("masks", tmp_path, ["background", "cloth"], masks=True, size=(200, 200))
    assert [answer.id for answer in found] == ["00000", "00002", "00003"]
    first, second = (np.array(Image.open(io.BytesIO(log.mask(answer.label)))) for answer in found[:2])
    expected = np.full(200 * 200, 255, np.uint8)
    expected[strokes[0]], expected[strokes[1]] = 0, 1
    assert np.array_equal(first.ravel(), expected)  # what nobody has painted is ignored
    expected[:] = 0
    expected[strokes[1]] = 1
    assert np.array_equal(second.ravel(), expected)  # the later one covers the earlier one
    assert found[2].label is None
    assert list(problems["id"]) == ["00004", "00005", "00006"]
    assert "label 'clothes' is no class: did you mean 'cloth'?" in problems["problem"][0]
    assert "picture of 100 x 400 pixels, but the pool's have 200 x 200" in problems["problem"][1]
    assert "in the middle of a run" in problems["problem"][2]


STROKE = {"type": "brushlabels", "original_height": 2, "original_width": 2}


@pytest.mark.parametrize(
    "result, told",
    [
        ([], "nothing is painted"),
        ([{"type": "choices", "value": {"choices": ["cloth"]}}], "nothing is painted"),
        ([{"type": "brushlabels"}], "says nothing of its picture's size"),
        ([STROKE], "0 classes were chosen"),
        ([STROKE | {"value": {"brushlabels": ["cloth"]}}], "ends after 0 bytes"),
        ([STROKE | {"value": {"brushlabels": ["a", "b"], "rle": []}}], r"2 classes \('a', 'b'\) were chosen"),
    ],
)
def test_a_mask_that_is_none_is_named(tmp_path: Path, result: list[dict], told: str) -> None:
    with pytest.raises(InputError, match=told):
        Labels(["cloth"], AnswerLog(tmp_path), masks=True).read(result)


def test_a_stroke_thinner_than_half_a_pixel_is_named(tmp_path: Path) -> None:
    stroke = STROKE | {"value": {"brushlabels": ["cloth"], "rle": encode(np.zeros((2, 2), bool))}}
    with pytest.raises(InputError, match="covers no pixel by half: zoom in, or take a wider brush"):
        Labels(["cloth"], AnswerLog(tmp_path), masks=True).read([stroke])


def test_a_push_makes_a_project_once_and_each_task_once(server: LabelStudio, known: StandIn) -> None:
    known.projects = [{"id": n, "title": f"other {n}"} for n in (1, 2, 3)]
    assert push(server, Project("mine", NAMES), images(5), picture).new == 5
    pushed = push(server, Project("mine", NAMES), images(7), picture)
    assert (pushed.new, pushed.known, pushed.project) == (2, 5, f"{known.url}/projects/4/data")
    assert [task["data"]["image_id"] for task in known.tasks] == list(images(7)["id"])
    assert [project["title"] for project in known.projects] == ["other 1", "other 2", "other 3", "mine"]
    assert "PATCH" not in dict(known.asked)
    assert push(server, Project("mine", NAMES), images(7).iloc[[0, 0]], picture).known == 1


def test_a_push_of_many_goes_in_pieces_and_goes_on_after_a_failure(
    server: LabelStudio, known: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "PAGE", 3)
    monkeypatch.setattr(sync, "CHUNK", 4)

    def broken(image: str) -> bytes:
        if image == "00009":
            raise InputError("this picture is broken")
        return picture(image)

    with pytest.raises(InputError, match="this picture is broken"):
        push(server, Project("mine", NAMES), images(13), broken)
    assert push(server, Project("mine", NAMES), images(13), picture).new == 5
    assert [task["data"]["image_id"] for task in known.tasks] == list(images(13)["id"])
    assert max(len(body) for body in known.bodies if isinstance(body, list)) == 4


def test_large_pictures_go_in_requests_that_a_server_takes(
    server: LabelStudio, known: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "LARGEST", 2500)
    push(server, Project("mine", NAMES), images(5), lambda image: PNG + bytes(750))  # 1,000 in base64
    assert [len(body) for body in known.bodies if isinstance(body, list)] == [2, 2, 1]


def test_a_class_that_is_added_later_changes_the_project(server: LabelStudio, known: StandIn) -> None:
    push(server, Project("mine", ['a "quoted" <one>']), images(1), picture)
    push(server, Project("mine", ['a "quoted" <one>', "new"], annotators=2), images(1), picture)
    assert known.projects[0]["maximum_annotations"] == 2
    assert re.findall(r"<Choice value=(.*?) hotkey=\"(\d)\"/>", known.projects[0]["label_config"]) == [
        ("'a \"quoted\" &lt;one&gt;'", "1"),
        ('"new"', "2"),
    ]


def test_many_classes_can_be_searched(server: LabelStudio, known: StandIn) -> None:
    push(server, Project("few", NAMES[:9]), images(1), picture)
    push(server, Project("many", [f"class {n}" for n in range(1000)]), images(1), picture)
    few, many = (project["label_config"] for project in known.projects)
    assert "<Filter" not in few and "<Filter" in many
    assert many.count("<Choice ") == 1000 and many.count("hotkey") == 9
    assert many.index("<Choice ") < many.index("<Image ")


def test_suggestions_travel_along_and_why_an_image_was_chosen_does_not(server: LabelStudio, known: StandIn) -> None:
    query = images(2).assign(role=["query", "control"], score=[0.5, 0.25])
    suggestions = pd.DataFrame({"id": ["00001"], "label": ["Bag"], "probability": [np.float32(0.75)]})
    push(server, Project("mine", NAMES), query, picture, suggestions)
    first, second = known.tasks
    assert set(first["data"]) == {"image", "image_id"} and "predictions" not in first
    (prediction,) = second["predictions"]
    assert prediction["score"] == 0.75 and prediction["result"][0]["value"] == {"choices": ["Bag"]}
    assert "control" not in json.dumps(known.tasks)


@pytest.mark.parametrize("title", ["me", "m" * 51])
def test_a_title_that_a_server_would_not_take_is_named(server: LabelStudio, title: str) -> None:
    with pytest.raises(InputError, match=f"has {len(title)} characters: Label Studio takes 3 to 50"):
        push(server, Project(title, NAMES), images(1), picture)


def test_pulling_again_adds_nothing_until_an_annotation_changes(
    server: LabelStudio, known: StandIn, tmp_path: Path
) -> None:
    found, log = json.loads((EXPORTS / "choices.json").read_text()), AnswerLog(tmp_path)
    known.projects = [found["project"] | {"id": 1}]
    known.users, known.tasks = found["users"], [task | {"project": 1} for task in found["tasks"]]
    title = found["project"]["title"]
    new, problems = pull(server, title, IDS, NAMES, log)
    assert (new, len(problems)) == (11, 3)
    assert pull(server, title, IDS, NAMES, log)[0] == 0
    changed = known.tasks[2]["annotations"][1]
    changed["updated_at"], changed["result"][0]["value"]["choices"] = "2030-01-01T00:00:00Z", ["Dress"]
    new, problems = pull(server, title, IDS, NAMES, log)
    assert (new, len(problems)) == (1, 2)
    assert log.read().iloc[-1][["id", "label", "annotator"]].tolist() == ["00002", "Dress", "bea@example.org"]


def test_pulling_without_a_project_says_what_to_do(server: LabelStudio, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no project 'mine': push the query first"):
        pull(server, "mine", IDS, NAMES, AnswerLog(tmp_path))


def test_an_access_token_is_asked_for_once_and_again_when_it_has_ended(known: StandIn) -> None:
    with LabelStudio(known.url, REFRESH) as server:
        server.get("/api/users/")
        server.get("/api/users/")
        assert known.access == 1
        known.failures = [401]  # it ended before its time
        assert server.get("/api/users/") == []
        assert known.access == 2
        server._until = 0  # its time is over
        server.get("/api/users/")
        assert known.access == 3


@pytest.mark.parametrize("token", ["f" * 40, "eyJh.other.c2ln"])
def test_a_wrong_token_is_refused_and_not_told(known: StandIn, token: str) -> None:
    with LabelStudio(known.url, token) as server, pytest.raises(InputError, match="refuses the token") as told:
        server.get("/api/users/")
    assert token not in str(told.value) + repr(server)


def test_a_token_is_not_told_even_if_the_server_tells_it(known: StandIn) -> None:
    for token, secret in ((TOKEN, TOKEN), (REFRESH, "access1")):
        with LabelStudio(known.url, token) as server:
            server.get("/api/users/")
            known.failures = [400]
            with pytest.raises(InputError, match="GET /api/users/ gave status 400") as told:
                server.get("/api/users/")
        assert secret not in str(told.value) and token not in str(told.value)


@pytest.mark.parametrize("token", ["", " ", "two words", "été", "a\nb"])
def test_what_can_be_no_token_is_not_sent(token: str) -> None:
    with pytest.raises(InputError, match="copy it again") as told:
        LabelStudio("http://127.0.0.1:1", token)
    assert not token.strip() or token not in str(told.value)


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "localhost", "ftp://127.0.0.1", "", "http://"])
def test_what_is_no_address_is_named(url: str) -> None:
    with pytest.raises(InputError, match=r"something like http://127\.0\.0\.1:8080 was expected"):
        LabelStudio(url, TOKEN)


def test_an_address_with_a_password_is_refused_and_the_password_not_told() -> None:
    with pytest.raises(InputError, match="a token is enough") as told:
        LabelStudio("http://ada:hidden@127.0.0.1:8080", TOKEN)
    assert "hidden" not in str(told.value)


def test_a_server_that_is_not_there_is_named() -> None:
    with LabelStudio("http://127.0.0.1:1", TOKEN) as server, pytest.raises(InputError, match="is it running there"):
        server.get("/api/users/")


def test_reading_is_tried_again_and_writing_is_not(server: LabelStudio, known: StandIn) -> None:
    known.failures = [503, 502]
    assert server.get("/api/users/") == []
    assert len(known.asked) == 3
    known.failures = [503]
    with pytest.raises(InputError, match="gave status 503"):
        server.post("/api/projects/", {"title": "mine"})
    assert known.projects == []


def test_a_redirect_is_not_followed(server: LabelStudio, known: StandIn) -> None:
    known.failures = [302]
    with pytest.raises(InputError, match="gave status 302"):
        server.get("/api/users/")
    assert known.asked == [("GET", "/api/users/")]


def test_another_kind_of_server_is_noticed(server: LabelStudio, known: StandIn) -> None:
    known.users = b"<html>hello</html>"
    with pytest.raises(
        InputError, match=r"does not answer as Label Studio does \(no JSON, but a web page\): is the address"
    ):
        server.get("/api/users/")


def test_passwords_that_lie_about_do_not_take_the_place_of_the_token(
    known: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for token in (TOKEN, REFRESH):
        with LabelStudio(known.url, token) as server:
            server._session.trust_env = True  # as with a server that is not on this machine
            assert server.get("/api/users/") == []


@pytest.mark.parametrize(
    "version, told", [({"release": "2.0.1"}, r"version 2\.0\.1: 1\.x was expected"), ([], "address")]
)
def test_a_version_that_we_do_not_know_is_named(
    server: LabelStudio, known: StandIn, version: object, told: str, tmp_path: Path
) -> None:
    known.version = version
    with pytest.raises(InputError, match=told):
        push(server, Project("mine", NAMES), images(1), picture)
    with pytest.raises(InputError, match=told):
        pull(server, "mine", IDS, NAMES, AnswerLog(tmp_path))


def test_a_talk_within_the_machine_goes_through_no_proxy(known: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with LabelStudio(known.url, TOKEN) as server:
        assert server.get("/api/users/") == []
