"""A real Label Studio server, where `make label-studio` has installed one: pushes, two annotators, pulls."""

import io
import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests
from PIL import Image

from pt4al.annotation.aggregation import Policy, aggregate
from pt4al.annotation.label_studio import brush
from pt4al.annotation.label_studio.client import LabelStudio
from pt4al.annotation.label_studio.doctor import examine
from pt4al.annotation.label_studio.sync import Project, pull, push
from pt4al.annotation.log import AnswerLog
from pt4al.errors import InputError
from support.ports import free_port

ROOT = Path(__file__).parents[3]
BIN = ROOT / ".venv-label-studio/bin"
FASHION = ROOT / "data/01_raw/fashion_mnist/test.parquet"
NAMES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
ODD = ['"quoted" & <tagged>', "NA", "été", "00012"]
PATIENCE = 180  # seconds: the first start makes a database, and the machine may be busy
BOTH = Policy(annotators=2, disagreement="consensus")

pytestmark = [
    pytest.mark.skipif(not (BIN / "label-studio").exists(), reason="no .venv-label-studio: see `make label-studio`"),
    pytest.mark.external,
    pytest.mark.timeout(900),
]


@dataclass(frozen=True)
class Person:
    """Somebody with an account: answers as a browser would, and owns both kinds of token."""

    url: str
    session: requests.Session

    def ask(self, method: str, path: str, body: object = None) -> dict:
        headers = {"X-CSRFToken": self.session.cookies.get("csrftoken"), "Referer": self.url}
        reply = self.session.request(method, self.url + path, json=body, headers=headers, timeout=60)
        assert reply.ok, reply.text
        return reply.json()

    def answer(self, task: int, result: list[dict], seconds: float = 1.5, skip: bool = False) -> int:
        body = {"result": result, "lead_time": seconds, "was_cancelled": skip}
        return self.ask("POST", f"/api/tasks/{task}/annotations/", body)["id"]

    def choose(self, task: int, label: str) -> int:
        return self.answer(task, [choice(label)])


def choice(label: str) -> dict:
    return {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": [label]}}


def stroke(label: str, rle: list[int], height: int, width: int) -> dict:
    value = {"format": "rle", "rle": rle, "brushlabels": [label]}
    size = {"original_height": height, "original_width": width, "image_rotation": 0}
    return {"from_name": "label", "to_name": "image", "type": "brushlabels", "value": value, **size}


def wrongs(server: LabelStudio, title: str) -> list[tuple[str, str]]:
    return [(finding.what, finding.sentence) for finding in examine(server, title) if not finding.ok]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server's address and its owner's token; nothing is left of it."""
    folder, port, token = tmp_path_factory.mktemp("label_studio"), free_port(), secrets.token_hex(20)
    environment = os.environ | {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "DJANGO_DB": "sqlite",
        "LABEL_STUDIO_USERNAME": "ada@example.org",
        "LABEL_STUDIO_PASSWORD": secrets.token_hex(8),
        "LABEL_STUDIO_USER_TOKEN": token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "FEATURE_FLAGS_OFFLINE": "true",
    }
    command = [BIN / "label-studio", "start", "--no-browser", "--internal-host", "127.0.0.1", "-p", str(port)]
    url = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        wait_for(url, process, folder / "server.log")
        yield url, token
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            if requests.get(f"{url}/health", timeout=5).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.5)
    pytest.fail(f"the server did not start: {log.read_text()}")


@pytest.fixture(scope="module")
def server(account: tuple[str, str]) -> LabelStudio:
    return LabelStudio(*account)


@pytest.fixture(scope="module")
def ada(account: tuple[str, str]) -> Person:
    """The owner."""
    url, token = account
    session = requests.Session()
    session.headers["Authorization"] = f"Token {token}"
    return Person(url, session)


@pytest.fixture(scope="module")
def bea(ada: Person) -> Person:
    """Somebody who has followed the owner's invitation and filled in the form."""
    session = requests.Session()
    page = session.get(ada.url + ada.ask("GET", "/api/invite")["invite_url"], timeout=60)
    form = {"csrfmiddlewaretoken": session.cookies["csrftoken"], "email": "bea@example.org"}
    form |= {"password": "bea's secret", "allow_newsletters": "false"}
    assert session.post(page.url, data=form, headers={"Referer": page.url}, timeout=60).ok
    return Person(ada.url, session)


@pytest.fixture(scope="module")
def photos() -> pd.DataFrame:
    """Twelve of Fashion-MNIST: `id`, `picture`, `label`."""
    table = pd.read_parquet(FASHION).head(12)
    pictures = [cell["bytes"] for cell in table["image"]]
    return pd.DataFrame(
        {"id": [f"{n:05}" for n in range(12)], "picture": pictures, "label": [NAMES[n] for n in table["label"]]}
    )


@pytest.fixture
def picture(photos: pd.DataFrame) -> Callable[[str], bytes]:
    return photos.set_index("id")["picture"].to_dict().__getitem__


def tasks_of(server: LabelStudio, pushed: str) -> dict[str, int]:
    """Numbers of tasks by id of image; each image must have one task."""
    project = int(pushed.split("/")[-2])
    tasks = server.get("/api/tasks/", project=project, page_size=1000)["tasks"]
    numbers = {task["data"]["image_id"]: task["id"] for task in tasks}
    assert len(numbers) == len(tasks)
    return numbers


def test_two_annotators_disagree_skip_and_change_their_minds(
    server: LabelStudio, ada: Person, bea: Person, photos: pd.DataFrame, picture: Callable, tmp_path: Path
) -> None:
    suggestions = photos[["id", "label"]].assign(probability=0.75)
    first = push(server, Project("two people", NAMES, annotators=2), photos.head(8), picture, suggestions.head(8))
    assert (first.new, first.known) == (8, 0)
    again = push(server, Project("two people", NAMES, annotators=2), photos, picture, suggestions)
    assert (again.project, again.new, again.known) == (first.project, 4, 8)
    tasks, log = tasks_of(server, first.project), AnswerLog(tmp_path)
    assert list(tasks) == list(photos["id"])

    for number, photo in enumerate(photos.itertuples()):
        ada.choose(tasks[photo.id], photo.label)
        if number == 0:
            last = bea.choose(tasks[photo.id], "Bag" if photo.label != "Bag" else "Coat")  # disagrees
        elif number == 1:
            bea.answer(tasks[photo.id], [choice(photo.label)], skip=True)  # skips, with a choice made before
        elif number < 10:
            bea.choose(tasks[photo.id], photo.label)
    new, problems = pull(server, "two people", photos["id"], NAMES, log)
    assert new == 22 and len(problems) == 0
    assert pull(server, "two people", photos["id"], NAMES, log)[0] == 0
    history = log.read()
    assert set(history["annotator"]) == {"ada@example.org", "bea@example.org"}
    assert set(history["source"]) == {"label_studio"} and set(history["seconds"]) == {1.5}
    states = aggregate(history, BOTH).set_index("id")
    assert list(states["state"]) == ["review", "review", *["labelled"] * 8, "waiting", "waiting"]
    assert list(states["label"].iloc[2:10]) == list(photos["label"].iloc[2:10])

    bea.ask("PATCH", f"/api/annotations/{last}/", {"result": [choice(photos["label"].iloc[0])]})
    assert pull(server, "two people", photos["id"], NAMES, log)[0] == 1
    assert aggregate(log.read(), BOTH)["state"].iloc[0] == "labelled"


def test_a_push_that_was_interrupted_goes_on_where_it_was(
    server: LabelStudio, photos: pd.DataFrame, picture: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pt4al.annotation.label_studio.sync.CHUNK", 5)

    def killed(image: str) -> bytes:
        if image == "00007":
            raise KeyboardInterrupt
        return picture(image)

    with pytest.raises(KeyboardInterrupt):
        push(server, Project("interrupted", NAMES), photos, killed)
    pushed = push(server, Project("interrupted", NAMES), photos, picture)
    assert (pushed.new, pushed.known) == (7, 5)
    assert sorted(tasks_of(server, pushed.project)) == list(photos["id"])


def test_odd_class_names_come_back_and_a_class_is_added_later(
    server: LabelStudio, ada: Person, photos: pd.DataFrame, picture: Callable, tmp_path: Path
) -> None:
    pushed = push(server, Project("odd", ODD), photos, picture)
    tasks, log, ids = tasks_of(server, pushed.project), AnswerLog(tmp_path), list(photos["id"])
    for image, label in zip(ids, ODD, strict=False):
        ada.choose(tasks[image], label)
    grown = [*ODD, "later"]
    wrong = ada.choose(tasks[ids[4]], "later")  # the server takes what is no class
    new, problems = pull(server, "odd", ids, ODD, log)
    assert new == 4 and list(log.read()["label"]) == ODD
    assert list(problems["annotation"]) == [wrong] and list(problems["task"]) == [tasks[ids[4]]]
    assert "label 'later' is no class" in problems["problem"].iloc[0]
    assert push(server, Project("odd", grown), photos, picture).new == 0
    assert pull(server, "odd", ids, grown, log)[0] == 1
    project = server.get(f"/api/projects/{pushed.project.split('/')[-2]}/")
    assert 'value="later"' in project["label_config"]


def test_masks_painted_with_its_own_converter_come_back(
    server: LabelStudio, ada: Person, photos: pd.DataFrame, picture: Callable, tmp_path: Path
) -> None:
    ids, classes = list(photos["id"]), ["background", "cloth"]
    pushed = push(server, Project("masks", classes, masks=True), photos, picture)
    tasks, log = tasks_of(server, pushed.project), AnswerLog(tmp_path)
    cloth = np.array(Image.open(io.BytesIO(picture(ids[0])))) > 60
    code = "import json, sys, numpy; from label_studio_sdk.converter.brush import mask2rle; "
    code += "print(json.dumps(mask2rle(numpy.array(json.load(sys.stdin), numpy.uint8))))"
    whole, part = theirs(code, np.full((28, 28), 255).tolist()), theirs(code, (255 * cloth).tolist())
    ada.answer(tasks[ids[0]], [stroke("background", whole, 28, 28), stroke("cloth", part, 28, 28)])
    ada.answer(tasks[ids[1]], [stroke("cloth", part, 28, 28)])
    ada.answer(tasks[ids[2]], [stroke("cloth", part[:20], 28, 28)])
    ada.answer(tasks[ids[3]], [], skip=True)
    new, problems = pull(server, "masks", ids, classes, log, size=(28, 28))
    assert new == 3 and "in the middle of a run" in problems["problem"].iloc[0]
    first, second = (np.array(Image.open(io.BytesIO(log.mask(label)))) for label in log.read()["label"].iloc[:2])
    assert np.array_equal(first, cloth.astype(np.uint8))
    assert np.array_equal(second, np.where(cloth, 1, 255))
    assert aggregate(log.read(), Policy())["state"].iloc[2] == "skipped"


def test_its_own_converter_reads_what_we_encode() -> None:
    painted = np.random.default_rng(0).random((7, 13)) > 0.4
    code = "import json, sys; from label_studio_sdk.converter.brush import decode_rle; "
    code += "print(decode_rle(json.load(sys.stdin)).tolist())"
    values = np.array(theirs(code, brush.encode(painted))).reshape(7, 13, 4)
    assert np.array_equal(values[:, :, 3] == 255, painted)


def theirs(code: str, given: object) -> list:
    """Run a line in Label Studio's own environment."""
    command = [BIN / "python", "-c", code]
    return json.loads(
        subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True).stdout
    )


def test_both_kinds_of_token_open_the_door_and_others_do_not(account: tuple[str, str], ada: Person) -> None:
    refresh = ada.ask("POST", "/api/token/", {})["token"]
    personal = LabelStudio(account[0], refresh)
    assert personal.get("/api/current-user/whoami")["email"] == "ada@example.org"
    personal._access = personal._access[:-3] + "AAA"  # as if it had ended
    assert personal.get("/api/current-user/whoami")["email"] == "ada@example.org"
    assert list(examine(personal, "nowhere"))[1].sentence == "a personal access token, of ada@example.org"
    for wrong in ("b" * 40, refresh[:-3] + "AAA", "nonsense"):
        with pytest.raises(InputError, match="refuses the token") as told:
            LabelStudio(account[0], wrong).get("/api/projects/")
        assert wrong not in str(told.value)


def test_a_project_that_is_not_there_is_named(server: LabelStudio, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no project 'nowhere': push the query first"):
        pull(server, "nowhere", [], NAMES, AnswerLog(tmp_path))


def test_the_doctor_knows_pictures_that_show_from_those_that_do_not(
    server: LabelStudio, ada: Person, account: tuple[str, str], photos: pd.DataFrame, picture: Callable, tmp_path: Path
) -> None:
    number = push(server, Project("healthy", NAMES), photos.head(2), picture).project.split("/")[-2]
    file = {"file": ("x.png", picture(photos["id"].iloc[0]))}
    headers = {"X-CSRFToken": ada.session.cookies.get("csrftoken"), "Referer": ada.url}
    address = f"{ada.url}/api/projects/{number}/import"
    assert ada.session.post(address, files=file, headers=headers, timeout=60).ok
    findings = list(examine(server, "healthy"))
    assert all(finding.ok for finding in findings)
    assert "within the task (2), uploaded to the server (1)" in findings[3].sentence
    assert "status 200, image/png" in findings[-1].sentence

    form = '<View><Image name="image" value="$image"/><Text name="t" value="$image"/></View>'
    for title, image, told in (
        ("off", "/data/local-files/?d=sub/x.png", "has no storage of local files"),
        ("bucket", "s3://bucket/x.png", "add that bucket"),
        ("lost", "/data/upload/1/lost.png", "is not there (status 500)"),
    ):
        number = ada.ask("POST", "/api/projects/", {"title": title, "label_config": form})["id"]
        ada.ask("POST", f"/api/projects/{number}/import", [{"data": {"image": image}}])
        assert told in wrongs(server, title)[0][1]
    assert "serves no local files" in wrongs(server, "off")[1][1]
    assert wrongs(LabelStudio(account[0], "b" * 40), "healthy")[0][0] == "token"
