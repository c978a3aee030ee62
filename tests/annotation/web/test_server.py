"""The page's server: answers are on disk before they are acknowledged, and what comes from elsewhere is refused."""

import html
import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.queue import AnnotationQueue
from pt4al.annotation.web import handler
from pt4al.annotation.web.server import Page
from pt4al.errors import InputError

TOKEN = "link's-token"
PNG, JPEG = b"\x89PNG...", b"\xff\xd8..."
CLASSES = ["cat", '<img src=x onerror="alert(1)">']
PLACES = ["/", "/image?image=i0", "/api/start", "/api/answer"]


def picture(image: str, size: str = "screen") -> bytes:
    if size != "screen":
        return PNG + size.encode()
    if image == "broken":
        raise OSError("disk /secret/place is gone")
    return JPEG if image == "i1" else PNG


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    query = pd.DataFrame({"id": ["i0", "i1", "broken", "a b/ü.png"]})
    queue = AnnotationQueue(AnswerLog(tmp_path), query, Policy(), CLASSES)
    page = Page(queue, picture, lambda image: {"sentence": "Drawn."}, {"title": "t"}, token=TOKEN)
    thread = threading.Thread(target=page.run)
    thread.start()
    yield page
    page.stop()
    thread.join()


def send(page: Page, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Send a request as the page does; headers that are empty are left out."""
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    own = {"X-Token": TOKEN} | ({"Content-Type": "application/json"} if body is not None else {})
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    try:
        connection.request(method, path, data, {name: value for name, value in (own | given).items() if value})
        reply = connection.getresponse()
        return reply.status, reply.read(), dict(reply.getheaders())
    finally:
        connection.close()


def raw(page: Page, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", page.port), timeout=60) as connection:
        connection.sendall(data)
        return connection.recv(65_536)


def an_answer(**changed: object) -> dict:
    return {"image": "i0", "label": "cat", "annotator": "Ada", "key": "k", "seconds": 1.5} | changed


def written(tmp_path: Path) -> int:
    return len(AnswerLog(tmp_path).read())


def test_an_answer_goes_to_the_log_and_the_progress_comes_back(page, tmp_path):
    status, body, _ = send(page, "POST", "/api/answer", an_answer())
    assert (status, json.loads(body)["status"], json.loads(body)["progress"]["answered"]) == (200, "new", 1)
    row = AnswerLog(tmp_path).read().iloc[0]
    assert (row["id"], row["label"], row["annotator"], row["seconds"]) == ("i0", "cat", "Ada", 1.5)
    assert json.loads(send(page, "POST", "/api/answer", an_answer())[1])["status"] == "again"
    assert json.loads(send(page, "POST", "/api/next", {"annotator": "Ada"})[1])["image"]["id"] == "i1"
    assert json.loads(send(page, "POST", "/api/undo", {"annotator": "Ada", "key": "u"})[1])["image"]["id"] == "i0"
    assert json.loads(send(page, "POST", "/api/answered", {"annotator": "Ada"})[1]) == {"images": []}


def test_before_there_is_a_query_the_page_says_what_is_done_and_an_answer_waits(page):
    queue, page.queue = page.queue, None
    page.work("Decoding pictures", 420, 1200)
    start = json.loads(send(page, "GET", "/api/start")[1])
    assert (start["state"], start["text"], start["classes"]) == ("working", "Decoding pictures", [])
    stage = json.loads(send(page, "GET", "/api/stage")[1])
    assert (stage["done"], stage["total"]) == (420, 1200)
    assert send(page, "POST", "/api/answer", an_answer())[0] == 503  # which a page sends again, until it is taken
    assert send(page, "GET", "/image?image=i0")[0] == 503
    page.ask(queue, picture, lambda image: None, {"round": 2})
    assert send(page, "POST", "/api/answer", an_answer())[0] == 200
    assert json.loads(send(page, "GET", "/api/stage")[1])["round"] == 2


def test_the_report_is_opened_by_a_key_that_opens_nothing_else(page):
    assert send(page, "GET", "/report?key=", X_Token="")[0] == 401
    script = b"<script>1</script>"
    page.finish(["Done."], {"report.html": lambda: b"<h1>Report</h1>" + script})
    assert not page.told.is_set()
    stage = json.loads(send(page, "GET", "/api/stage")[1])
    assert stage["lines"] == ["Done."]
    assert page.told.is_set()
    status, body, headers = send(page, "GET", stage["report"], X_Token="")
    assert (status, body) == (200, b"<h1>Report</h1>" + script)
    assert "script-src 'sha256-" in headers["Content-Security-Policy"]
    assert "connect-src" not in headers["Content-Security-Policy"]
    assert send(page, "GET", "/report?key=" + TOKEN)[0] == 401
    key = stage["report"].partition("key=")[2]
    assert send(page, "GET", "/api/start", X_Token=key)[0] == 401


def links_of(page: Page, place: str) -> list[str]:
    status, body, _ = send(page, "GET", place, X_Token="")
    assert status == 200
    return [html.unescape(link) for link in re.findall(r'href="([^"]*)"', body.decode())]


def test_the_report_and_the_pages_beside_it_lead_to_each_other(page):
    pages = {
        "report.html": lambda: b'<a href="#next"> <a href="map.html"> <a href="../pool_1/intake.html">',
        "map.html": lambda: b'<a href="report.html#asked">',
        "../pool_1/intake.html": lambda: b"Intake",
    }
    page.finish(["Done."], pages)
    place = json.loads(send(page, "GET", "/api/stage")[1])["report"]
    here, to_map, to_intake = links_of(page, place)
    assert here == "#next"
    (back,) = links_of(page, to_map)
    assert back.endswith("#asked")
    assert links_of(page, back.removesuffix("#asked")) == links_of(page, place)
    assert send(page, "GET", to_intake, X_Token="")[1] == b"Intake"
    assert send(page, "GET", "/report?page=map.html", X_Token="")[0] == 401
    assert send(page, "GET", place + "&page=/etc/passwd", X_Token="")[0] == 404


def test_a_class_is_explained_by_its_sentence_and_pictures_that_have_it(page):
    page.facts["descriptions"] = {"cat": "No lynxes."}
    send(page, "POST", "/api/answer", an_answer())
    assert json.loads(send(page, "GET", "/api/class?name=cat")[1]) == {"text": "No lynxes.", "examples": ["i0"]}
    assert send(page, "GET", "/api/class?name=cow")[0] == 404


def test_pictures_and_reasons_come_by_id(page):
    assert send(page, "GET", "/image?image=i0")[1:2] == (PNG,)
    assert send(page, "GET", "/image?image=i1")[2]["Content-Type"] == "image/jpeg"
    assert send(page, "GET", "/image?image=a%20b%2F%C3%BC.png")[0] == 200
    assert json.loads(send(page, "GET", "/api/why?image=i0")[1]) == {"why": {"sentence": "Drawn."}}
    assert json.loads(send(page, "GET", "/api/start")[1])["classes"] == CLASSES


def test_a_picture_comes_in_the_sizes_that_there_are(page):
    for size in ("thumbnail", "whole"):
        assert send(page, "GET", f"/image?image=i0&size={size}")[:2] == (200, PNG + size.encode())
    for size in ("", "huge", "../whole"):
        assert send(page, "GET", f"/image?image=i0&size={size}")[0] == (200 if not size else 400)
    assert send(page, "GET", "/image?image=unknown&size=whole")[0] == 404


def test_an_answer_that_could_not_be_written_is_not_acknowledged(page, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(AnswerLog, "_append", full)
    status, body, _ = send(page, "POST", "/api/answer", an_answer())
    assert status == 500
    assert b"space" not in body


def test_nothing_is_told_of_a_fault_but_that_there_is_one(page, caplog):
    status, body, _ = send(page, "GET", "/image?image=broken")
    assert status == 500
    assert b"secret" not in body
    assert b"Traceback" not in body
    assert "/secret/place" in caplog.text
    assert TOKEN not in caplog.text


def test_the_page_is_one_file_that_runs_its_own_script_alone(page):
    status, body, headers = send(page, "GET", "/", X_Token="")
    policy = headers["Content-Security-Policy"]
    assert status == 200
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"], headers["Cache-Control"]) == (
        "nosniff",
        "no-referrer",
        "no-store",
    )
    assert b"http://" not in body
    assert b"https://" not in body
    assert b"innerHTML" not in body
    assert TOKEN.encode() not in body
    assert "Python" not in headers["Server"]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "ü"])
@pytest.mark.parametrize("path", PLACES[1:])
def test_without_the_token_nothing_is_told(page, tmp_path, token, path):
    method = "POST" if path == "/api/answer" else "GET"
    status, body, _ = send(page, method, path, an_answer() if method == "POST" else None, X_Token=token)
    assert status == 401
    assert b"cat" not in body
    assert written(tmp_path) == 0


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost:", "["])
def test_another_hosts_name_is_refused(page, tmp_path, path, host):
    method = "POST" if path == "/api/answer" else "GET"
    body = an_answer() if method == "POST" else None
    assert send(page, method, path, body, Host=host.format(port=page.port))[0] == 403
    assert written(tmp_path) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"},
    ],
)
def test_another_origin_is_refused(page, tmp_path, headers):
    headers = {name: value.format(port=page.port) for name, value in headers.items()}
    assert send(page, "POST", "/api/answer", an_answer(), **headers)[0] == 403
    assert send(page, "GET", "/image?image=i0", **headers)[0] == 403
    assert written(tmp_path) == 0


def test_its_own_origin_is_not(page):
    for name in ("127.0.0.1", "localhost", "LOCALHOST"):
        host = f"{name}:{page.port}"
        headers = {"Host": host, "Origin": f"http://{host}", "Sec_Fetch_Site": "same-origin"}
        assert send(page, "POST", "/api/answer", an_answer(), **headers)[0] == 200
    assert send(page, "GET", "/", X_Token="", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/image/../../etc/passwd",
        "/image/%2e%2e/%2e%2e/etc/passwd",
        "/image?image=../../etc/passwd",
        "/image?image=%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/image?image=/etc/passwd",
        "/image?image=i0%00",
        "/label.html",
        "/../server.py",
        "//etc/passwd",
        "/api/why?image=/etc/passwd",
        "/api/",
    ],
)
def test_there_is_no_path_to_anything_else(page, path):
    status, body, _ = send(page, "GET", path)
    assert status == 404
    assert b"root:" not in body


@pytest.mark.parametrize("path", ["next", "grid", "facts", "answered", "overview", "undo"])
def test_half_a_character_is_refused_wherever_a_person_is_named(page, path):
    fields = {"annotator": "A\ud800", "image": "i0", "size": 4, "key": "k"}
    assert send(page, "POST", f"/api/{path}", fields)[0] == 400


def test_what_is_no_address_leads_nowhere(page):
    head = f" HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nX-Token: {TOKEN}\r\n\r\n".encode()
    assert raw(page, b"GET http://[x/image" + head).split()[1] == b"404"


def test_an_image_must_be_named(page):
    assert send(page, "GET", "/image")[0] == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (an_answer(image="not in the query"), 400),
        (an_answer(image=7), 400),
        (an_answer(image=None), 400),
        (an_answer(label="no class"), 400),
        (an_answer(label=["cat"]), 400),
        (an_answer(annotator=""), 400),
        (an_answer(annotator="\ud800"), 400),
        (an_answer(key={}), 400),
        (an_answer(key="k" * 65), 400),
        ([], 400),
        (b"{", 400),
        (b"[" * 60_000, 400),
        (b"\xff\xfe", 400),
        (b"", 400),
        (b'"' + b"x" * 2**16 + b'"', 413),
    ],
)
def test_what_is_no_answer_is_refused_and_not_written(page, tmp_path, body, status):
    assert send(page, "POST", "/api/answer", body)[0] == status
    assert written(tmp_path) == 0


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_of_another_page_can_not_answer(page, tmp_path, kind):
    assert send(page, "POST", "/api/answer", an_answer(), Content_Type=kind)[0] == 415
    assert written(tmp_path) == 0


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"Content-Length: 9999999999", 413),
        (b"Content-Length: " + b"9" * 5000, 413),
        (b"Content-Length: -1", 411),
        (b"Content-Length: \xb2", 411),
        (b"Transfer-Encoding: chunked", 411),
    ],
)
def test_odd_lengths_are_refused_before_anything_is_read(page, line, status):
    head = f"POST /api/answer HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nX-Token: {TOKEN}\r\n".encode()
    reply = raw(page, head + b"Content-Type: application/json\r\n" + line + b"\r\n\r\n")
    assert reply.split()[1] == str(status).encode()
    assert b"Connection: close" in reply


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_refused(page, method):
    status, _, headers = send(page, method, "/api/start")
    assert status == 405
    assert "Access-Control-Allow-Origin" not in headers
    assert send(page, "GET", "/api/answer")[0] == send(page, "POST", "/api/start", {})[0] == 405


def test_what_is_no_http_is_refused_in_plain_words(page):
    reply = raw(page, b"\x16\x03\x01 hello\r\n\r\n")
    assert b"not known here" in reply
    assert b"<html" not in reply.lower()


def test_a_second_request_can_not_hide_in_a_readings_body(page, tmp_path):
    assert send(page, "GET", "/api/start", an_answer())[0] == 400
    assert written(tmp_path) == 0


def test_a_body_that_does_not_come_is_not_waited_for(page, tmp_path, monkeypatch):
    monkeypatch.setattr(handler, "PATIENCE", 0.2)
    head = f"POST /api/answer HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nX-Token: {TOKEN}\r\n".encode()
    head += b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n"
    with socket.create_connection(("127.0.0.1", page.port), timeout=60) as connection:
        connection.sendall(head + b"{")
        assert connection.recv(100).split()[1] == b"408"
    assert raw(page, head).split()[1] == b"408"
    assert written(tmp_path) == 0


def test_a_page_for_all_addresses_takes_addresses_and_its_own_name_but_no_other(tmp_path):
    queue = AnnotationQueue(AnswerLog(tmp_path), pd.DataFrame({"id": ["i0"]}), Policy(), CLASSES)
    page = Page(queue, picture, host="0.0.0.0", token=TOKEN)
    try:
        assert page.url == f"http://{socket.gethostname()}:{page.port}/#{TOKEN}"
        assert page.named(f"192.0.2.7:{page.port}")
        assert page.named(f"{socket.gethostname()}:{page.port}")
        assert not page.named(f"evil.example:{page.port}")
        assert not page.named("192.0.2.7")
    finally:
        page._server.server_close()


def test_a_person_may_add_a_class_where_that_is_allowed(page, tmp_path):
    assert send(page, "POST", "/api/class", {"name": "bird"})[0] == 400
    with pytest.raises(InputError):
        page.queue.add_class("bird")


def test_a_page_that_was_stopped_answers_nothing_more(page, tmp_path):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    connection.request("GET", "/")
    connection.getresponse().read()
    page.stop()
    page._server.server_close()
    try:
        with pytest.raises((OSError, http.client.HTTPException)):
            connection.request("POST", "/api/answer", json.dumps(an_answer()), {"Content-Type": "application/json"})
            connection.getresponse()
    finally:
        connection.close()
    assert written(tmp_path) == 0


def test_a_browser_that_hangs_up_leaves_no_trace(page, capfd, caplog):
    for data in (b"", b"GET /", f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n\r\n".encode()):
        connection = socket.create_connection(("127.0.0.1", page.port), timeout=60)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # hang up by a reset
        connection.sendall(data)
        connection.close()
    assert send(page, "GET", "/")[0] == 200
    time.sleep(0.1)
    assert capfd.readouterr().err == caplog.text == ""


def test_eight_threads_of_answers_are_all_taken_in(page, tmp_path):
    def work(number: int) -> list[int]:
        return [
            send(page, "POST", "/api/answer", an_answer(annotator=f"p{number}", key=f"{number}-{turn // 2}"))[0]
            for turn in range(6)
        ]

    with ThreadPoolExecutor(8) as threads:
        assert {status for found in threads.map(work, range(8)) for status in found} == {200}
    history = AnswerLog(tmp_path).read()
    assert len(history) == history["key"].nunique() == 24


# Imports once; then serves, in a process of its own, for each line that it reads.
NURSERY = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.queue import AnnotationQueue
from pt4al.annotation.web.server import Page
from pt4al.annotation.aggregation import Policy
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    if os.fork() == 0:
        query = pd.DataFrame({"id": [f"i{number}" for number in range(3)]})
        queue = AnnotationQueue(AnswerLog(Path(sys.argv[1])), query, Policy(), ["cat"])
        page = Page(queue, lambda image: b"", token=sys.argv[2])
        print(os.getpid(), page.port, flush=True)
        page.run()
"""


class Sender:
    """Sends one answer after the other, the same again until it is acknowledged, as the page does."""

    def __init__(self, number: int):
        self.number, self.acknowledged, self.count = number, [], 0

    def work(self, port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            while True:
                key = f"{self.number}-{self.count}"
                body = json.dumps(an_answer(image=f"i{self.number}", annotator=f"p{self.number}", key=key))
                connection.request("POST", "/api/answer", body, {"X-Token": TOKEN, "Content-Type": "application/json"})
                reply = connection.getresponse()
                reply.read()
                assert reply.status == 200
                self.acknowledged.append(key)
                self.count += 1
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()


def test_every_acknowledged_answer_is_there_once_whenever_the_server_is_killed(tmp_path):
    senders = [Sender(number) for number in range(3)]
    command = [sys.executable, "-c", NURSERY, str(tmp_path), TOKEN]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery,
        ThreadPoolExecutor(3) as threads,
    ):
        for moment in range(10):
            nursery.stdin.write("serve\n")
            nursery.stdin.flush()
            process, port = map(int, nursery.stdout.readline().split())
            before = sum(sender.count for sender in senders)
            work = [threads.submit(sender.work, port) for sender in senders]
            end = time.monotonic() + 120
            while sum(sender.count for sender in senders) == before and time.monotonic() < end:
                time.sleep(0.001)
            time.sleep(0.007 * moment)
            os.kill(process, signal.SIGKILL)
            for one in work:
                one.result()
        nursery.stdin.close()
    keys = AnswerLog(tmp_path).read()["key"]
    acknowledged = {key for sender in senders for key in sender.acknowledged}
    assert len(acknowledged) >= 10
    assert acknowledged <= set(keys)
    assert keys.is_unique
    # Each answer that is not acknowledged was under way: one a person at most.
    assert len(set(keys) - acknowledged) <= len(senders)


@pytest.mark.parametrize("begun", [b"G", b"GET / HTTP/1.1\r\nX-Slow: ", b""], ids=["method", "header", "nothing"])
def test_who_sends_a_byte_now_and_then_is_cut_off(page, monkeypatch, begun):
    monkeypatch.setattr(handler, "PATIENCE", 0.3)
    with socket.create_connection(("127.0.0.1", page.port), timeout=60) as connection:
        connection.sendall(begun)
        connection.settimeout(0.1)
        for _ in range(100):  # each byte in time, the whole never
            with suppress(TimeoutError):
                if connection.recv(1) == b"":
                    break
            with suppress(OSError):
                connection.sendall(b"x" if begun else b"")
        else:
            pytest.fail("still connected")


def test_fifty_people_at_once_are_all_answered_and_none_waits_for_a_second_knock(page, tmp_path):
    def label(number: int) -> list[int]:
        said = an_answer(annotator=f"p{number}", key=f"k{number}", next=True)
        calls = [("GET", "/", None), ("GET", "/image?image=i0", None), ("POST", "/api/answer", said)]
        start.wait()
        return [send(page, *call)[0] for call in calls]

    start = threading.Barrier(50)
    with ThreadPoolExecutor(50) as people:
        statuses = list(people.map(label, range(50)))
    assert statuses == [[200, 200, 200]] * 50
    assert written(tmp_path) == 50
    # The kernel keeps those who knock while nobody opens. With 5 it drops the others, which knock again seconds later.
    assert page._server.request_queue_size >= 50


def test_an_answer_may_bring_the_next_image_along(page):
    reply = json.loads(send(page, "POST", "/api/answer", an_answer(next=True))[1])
    assert (reply["status"], reply["image"]["id"], reply["ahead"]) == ("new", "i1", ["broken", "a b/ü.png"])
    again = json.loads(send(page, "POST", "/api/answer", an_answer(next=True))[1])
    assert (again["status"], again["image"]["id"]) == ("again", "i1")


def test_a_port_that_is_taken_and_a_host_that_is_none_are_sentences(page, tmp_path):
    queue = AnnotationQueue(AnswerLog(tmp_path), pd.DataFrame({"id": ["i0"]}), Policy(), CLASSES)
    for where, told in (
        ({"port": page.port}, "is taken"),
        ({"host": "192.0.2.1"}, "no page can be served at 192.0.2.1"),
    ):
        with pytest.raises(InputError, match=told):
            Page(queue, picture, **where)


@pytest.mark.parametrize(
    "changed",
    [
        {"images": "i0"},
        {"images": ["i0", 3]},
        {"images": [f"i{number}" for number in range(61)]},
        {"exceptions": None},
        {"label": 3},
        {"label": "no class"},
        {"size": 1},
        {"size": True},
        {"size": 61},
    ],
)
def test_a_confirmation_that_is_none_is_refused_and_stores_nothing(page, tmp_path, changed):
    body = {"images": ["i0"], "exceptions": [], "label": "cat", "annotator": "Ada", "key": "k"} | changed
    status, reply, _ = send(page, "POST", "/api/confirm", body)
    assert status == 400
    assert json.loads(reply)["error"]
    assert written(tmp_path) == 0


def test_without_guesses_there_is_no_grid_but_a_sentence(page):
    reply = json.loads(send(page, "POST", "/api/grid", {"annotator": "Ada", "size": 20})[1])
    assert reply["group"] is None
    assert "no model before the next round" in reply["reason"]
