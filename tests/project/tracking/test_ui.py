"""`kedro ui` opens MLflow on the curves of all runs, and ends its server with itself."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest

from pt4al.errors import InputError
from pt4al.project.tracking.store import NOTE, Store, curves, with_link
from pt4al.project.tracking.ui import serve
from support.ports import free_port
from support.tracking import store_of

PAGE = "/#/experiments/1/runs?workflowType=machine_learning&compareRunsMode=CHART"


def test_a_taken_port_is_one_sentence_that_names_the_page(project: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 is taken") as refused:
            serve(store_of(project), port, pytest.fail)
    assert f"http://127.0.0.1:{port}{PAGE}" in str(refused.value)


def test_of_a_server_only_the_page_is_named_without_the_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = Store("https://me:secret@there:8000/", "pt4al", False, None, tmp_path)
    monkeypatch.setattr(Store, "connect", lambda self: (None, "1"))
    told = []
    serve(server, 5000, told.append)
    assert told == [curves("https://there:8000", "1")]


def test_an_experiment_is_described_in_plain_words_that_replace_those_of_earlier_versions(project: Path) -> None:
    store = store_of(project)
    client, number = store.connect()
    page = curves("http://127.0.0.1:5000", number)
    assert client.get_experiment(number).tags[NOTE] == f"Learning curves of all runs: {page}"
    client.set_experiment_tag(number, NOTE, f"My own words.\n\n[Learning curves of all runs]({page})")
    store.connect()
    assert client.get_experiment(number).tags[NOTE] == f"My own words.\n\nLearning curves of all runs: {page}"
    client.set_experiment_tag(number, NOTE, "My own words.")
    store.connect()
    assert client.get_experiment(number).tags[NOTE] == "My own words."


def test_a_link_is_there_once() -> None:
    once = with_link("", "Comparison c", "http://a")
    assert with_link(once, "Comparison c", "http://b") == "Comparison c: http://b"
    assert with_link(once, "Comparison d", "http://b") == "Comparison c: http://a\n\nComparison d: http://b"


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_the_command_answers_at_the_page_that_it_prints_and_ends_its_server(project: Path, number: int) -> None:
    port = free_port()
    command = [sys.executable, "-m", "kedro", "ui", "--no-open", "--port", str(port)]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as ui:
        told = [ui.stdout.readline() for _ in range(3)]
        with urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
            assert page.status == 200
        ui.send_signal(number)
        assert ui.wait() == 0
    assert told[1].startswith(f"Learning curves of all runs: http://127.0.0.1:{port}{PAGE}")
    for _ in range(600):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    pytest.fail("the server still runs")
