"""Where there is no cluster that can be used, one sentence says so, before any work."""

import signal
import socket
import subprocess
import sys
from importlib import metadata

import click
import pytest

from pt4al.cluster import joining, ray_session
from pt4al.cluster.on_ray import check_room
from pt4al.cluster.seam import Cluster, check, in_shards
from pt4al.errors import InputError
from support.ports import free_port
from support.projects import run

OTHER = """Version mismatch: The cluster was started with:
    Ray: 2.40.0
    Python: 3.10.4
This process on Ray Client was started with:
    Ray: 2.60.0
    Python: 3.11.9
"""


@pytest.fixture
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)


@pytest.fixture
def no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)


def test_without_a_cluster_at_the_address_it_is_said(no_session):
    with pytest.raises(InputError, match=r"ray://127\.0\.0\.1:1: no Ray cluster that can be used answers"):
        list(in_shards(lambda _, shard: shard, [[1]], Cluster("ray://127.0.0.1:1")))


def test_without_ray_it_is_said_what_to_install(no_ray):
    with pytest.raises(InputError, match=r'Ray is not installed: pip install "pt4al\[ray\]"'):
        check(Cluster("ray"))


def test_a_run_without_ray_ends_before_its_first_node(no_ray, project):
    with pytest.raises(click.ClickException, match="Ray is not installed"):
        run(project, engine={"cluster": "ray"})
    assert not list((project / "data").glob("0[2-9]*"))


def test_a_run_without_a_cluster_ends_before_its_first_node(no_session, project, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{free_port()}")
    with pytest.raises(click.ClickException, match="no Ray cluster that can be used answers at 127"):
        run(project, engine={"cluster": "ray"})
    assert not list((project / "data").glob("0[2-9]*"))


def test_another_version_of_ray_there_is_named_in_one_sentence(no_session, monkeypatch):
    monkeypatch.setattr(joining, "_knock", lambda where: None)
    monkeypatch.setattr("subprocess.run", lambda command, **options: subprocess.CompletedProcess(command, 1, OTHER))
    with pytest.raises(InputError) as told:
        check(Cluster("ray://head:10001"))
    assert str(told.value) == (
        "`engine.cluster` ray://head:10001: the cluster at ray://head:10001 has Ray 2.40.0 and Python 3.10.4, "
        "here are Ray 2.60.0 and Python 3.11.9: install the same on all"
    )


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_what_listens_there_and_is_no_cluster_is_left_within_the_limit(no_session, monkeypatch, scheme):
    monkeypatch.setattr(joining, "JOINING", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", place)
        with pytest.raises(
            InputError, match=rf"answers at {scheme}{place} \(it did not answer within 1 seconds\): start"
        ):
            check(Cluster(f"{scheme}{place}" if scheme else "ray"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_cluster_that_is_heard_at_the_loopback_address_alone_is_joined(on_ray, host):
    check(on_ray)
    import ray

    port = ray.get_runtime_context().gcs_address.rpartition(":")[2]
    joined = subprocess.run([sys.executable, "-P", joining.__file__, f"{host}:{port}"], timeout=100)
    assert joined.returncode == 0


def test_workers_with_another_version_of_what_decides_about_bytes_are_refused(on_ray, monkeypatch):
    check(on_ray)
    here = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "1.0" if name == "torch" else here(name))
    monkeypatch.setattr("ray.shutdown", lambda: None)
    with pytest.raises(InputError, match=r"workers on 127\.0\.0\.1 have torch 2.*, here is 1\.0: install the same"):
        ray_session._greet("ray")


def test_workers_without_the_package_are_refused(on_ray, monkeypatch, tmp_path):
    check(on_ray)
    (tmp_path / "installed_here_alone.py").write_text("def versions():\n    return {'pt4al': '0.1.0'}\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__("installed_here_alone")
    monkeypatch.setattr("ray.shutdown", lambda: None)
    monkeypatch.setattr(ray_session, "_greeting", module.versions)
    with pytest.raises(InputError, match=r"workers on 127.0.0.1 can't run pt4al \(.*installed_here_alone.*\): install"):
        ray_session._greet("ray")


def test_more_threads_than_a_machine_has_are_refused_before_work(on_ray):
    with pytest.raises(InputError, match="no machine of the cluster has 999 cores"):
        check_room(Cluster("ray", threads=999))


def test_ray_leaves_the_answers_to_signals_as_they_were(on_ray):
    before = [signal.getsignal(number) for number in ray_session.SIGNALS]
    check(on_ray)
    assert [signal.getsignal(number) for number in ray_session.SIGNALS] == before
    assert before[1] == signal.SIG_DFL


def test_a_ray_that_is_started_here_is_heard_on_this_machine_alone(on_ray):
    import psutil

    check(on_ray)
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    heard = {
        place.laddr.ip for one in family for place in one.net_connections("inet") if place.status == psutil.CONN_LISTEN
    }
    assert heard <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert heard
