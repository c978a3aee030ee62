"""Work in shards: results in order whatever dies, and the same from processes as from Ray."""

import os
import signal
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

import cloudpickle
import pytest

from pt4al.cluster import processes, seam
from pt4al.cluster.on_ray import MARKS, RayCrew
from pt4al.cluster.seam import ALONE, Cluster, Crew, Done, Outcome, check, in_shards, nothing
from pt4al.cluster.worker import Job
from pt4al.errors import InputError

# Workers have no tests to import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])
TENS = [list(range(first, first + 10)) for first in range(0, 60, 10)]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_once(pipe: Connection) -> None:
    """Stand for a worker that can't begin: no process finds this function."""


def once(mark: Path) -> bool:
    """Whether nobody has been here before."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def test_results_come_in_order_with_their_shards(cluster):
    def doubled(factor: int, shard: list[int]) -> list[int]:
        time.sleep(0.1 if shard[0] == 0 else 0)  # the first ends last
        return [factor * number for number in shard]

    found = list(in_shards(doubled, iter(TENS), cluster, prepare=lambda: 2))
    assert found == list(in_shards(doubled, TENS, ALONE, prepare=lambda: 2))
    assert [shard for shard, _ in found] == TENS


def test_a_worker_prepares_once_for_all_its_shards(cluster, tmp_path):
    def prepare() -> None:
        (tmp_path / str(os.getpid())).touch(exist_ok=False)

    worked = [pid for _, pid in in_shards(lambda _, shard: os.getpid(), TENS, cluster, prepare)]
    assert len(worked) == len(TENS)
    assert {path.name for path in tmp_path.iterdir()} == {str(pid) for pid in worked}


def test_a_shard_whose_worker_is_killed_goes_to_another(cluster, tmp_path):
    def work(_: None, shard: list[int]) -> int:
        if shard[0] in (10, 40) and once(tmp_path / str(shard[0])):
            die()
        return sum(shard)

    assert [result for _, result in in_shards(work, TENS, cluster)] == [sum(shard) for shard in TENS]


def test_a_shard_that_kills_its_workers_is_halved_once_and_then_lost_by_name(cluster):
    def work(_: None, shard: list[int]) -> int:
        if 27 in shard:
            die()
        return sum(shard)

    found = list(in_shards(work, TENS, cluster, on_lost=lambda shard, reason: reason))
    assert [shard for shard, _ in found] == [*TENS[:2], TENS[2][:5], TENS[2][5:], *TENS[3:]]
    assert found[2][1] == sum(TENS[2][:5])
    assert "killed" in found[3][1]


def test_a_lost_shard_is_an_error_that_names_it():
    def work(_: None, shard: list[int]) -> None:
        if 27 in shard:
            die()

    with pytest.raises(InputError, match="squares: 5 items, 25 to 29, can't be worked on: its process was killed"):
        list(in_shards(work, TENS, Cluster(workers=2), title="squares"))


def test_a_shard_that_hangs_is_given_to_another_worker(cluster, tmp_path, monkeypatch):
    def work(_: None, shard: list[int]) -> int:
        if shard[0] == 30 and once(tmp_path / "30"):
            time.sleep(600)
        return sum(shard)

    def clock() -> float:
        """Return the time, as it is long after a shard has begun to hang."""
        return time.monotonic() + 2 * cluster.patience * (tmp_path / "30").exists()

    monkeypatch.setattr(seam, "time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(seam, "POLL", 0.05)
    found = in_shards(work, TENS, cluster)
    assert [result for _, result in found] == [sum(shard) for shard in TENS]


class Queued(Crew):
    """One worker that begins each shard 100 seconds after it was handed out, and needs 5 for it."""

    def __init__(self):
        self.now = 0.0
        self.stopped: list[tuple] = []
        self._begins: dict[tuple, float] = {}

    def __exit__(self, *error: object) -> None:
        """See Crew."""

    def slots(self) -> int:
        return 1

    def start(self, key: tuple, shard: list[int]) -> None:
        self._begins[key] = self.now + 100

    def waiting(self) -> set[tuple]:
        return {key for key, begin in self._begins.items() if begin > self.now}

    def ended(self, seconds: float) -> list[tuple[tuple, Outcome]]:
        self.now += seconds
        keys = [key for key, begin in self._begins.items() if begin + 5 <= self.now]
        return [(key, Done(self._begins.pop(key))) for key in keys]

    def stop(self, key: tuple) -> None:
        self.stopped.append(key)
        del self._begins[key]


@pytest.mark.parametrize(("patience", "stopped"), [(10.0, []), (3.0, [(0,), (0,)])])
def test_only_the_time_that_a_shard_is_worked_on_is_limited(monkeypatch, patience, stopped):
    crew = Queued()
    monkeypatch.setattr(seam, "_crew", lambda cluster, job: crew)
    monkeypatch.setattr(seam, "time", SimpleNamespace(monotonic=lambda: crew.now))
    results = in_shards(lambda _, shard: shard, [[1]], Cluster(workers=2, patience=patience))
    with pytest.raises(InputError, match="did not end within 3 seconds") if stopped else nullcontext():
        assert [result for _, result in results] == [100.0]
    assert crew.stopped == stopped


def test_while_nothing_has_room_that_is_said_once_a_minute(monkeypatch, caplog):
    crew = Queued()
    monkeypatch.setattr(seam, "_crew", lambda cluster, job: crew)
    monkeypatch.setattr(seam, "time", SimpleNamespace(monotonic=lambda: crew.now))
    list(in_shards(lambda _, shard: shard, [[1], [2]], Cluster(workers=2), title="scores"))
    message = "scores: nothing runs for want of room on the cluster: 1 shard waiting"
    assert caplog.messages == [message] * 2  # each waited for 100 seconds


def test_ray_says_which_shards_wait_for_room_and_which_have_begun(on_ray, tmp_path):
    def until(path: Path) -> None:
        while not path.exists():
            time.sleep(0.01)

    def occupy() -> None:
        (tmp_path / "occupied").touch()
        until(tmp_path / "free")

    def marks() -> list[bytes]:
        return [name for name in internal_kv._internal_kv_list("", namespace=MARKS) if b"pt4al" in name]

    check(on_ray)
    import ray
    from ray.experimental import internal_kv

    blocker = ray.remote(occupy).options(num_cpus=ray.cluster_resources()["CPU"]).remote()
    until(tmp_path / "occupied")
    work = Job(lambda _, shard: until(tmp_path / "end"), nothing, 1)
    with RayCrew(on_ray, work) as crew:
        crew.start((0,), [1])
        assert crew.waiting() == {(0,)}
        assert not marks()
        (tmp_path / "free").touch()
        ray.get(blocker)
        while crew.waiting():
            time.sleep(0.01)
        assert len(marks()) == 1
        (tmp_path / "end").touch()
        while not (ended := crew.ended(1.0)):
            pass
    assert ended == [((0,), Done(None))]
    assert not marks()


def test_what_the_work_raises_is_raised_here(cluster):
    def work(_: None, shard: list[int]) -> None:
        raise InputError(f"picture {shard[0]} is no picture")

    with pytest.raises(InputError, match="picture 0 is no picture"):
        list(in_shards(work, TENS[:1], cluster))


def test_workers_that_cannot_begin_are_not_started_for_ever(monkeypatch):
    monkeypatch.setattr(processes, "_idle", [])
    monkeypatch.setattr(processes, "_work", die_at_once)
    large = [bytes(2**20), bytes(2**20)]  # more than a pipe takes
    with pytest.raises(InputError, match="can't be worked on: its process was killed"):
        list(in_shards(lambda _, shard: shard, [large], Cluster(workers=2, warm=False)))


class Unreadable(list):
    """A shard that no worker can unpack."""

    def __reduce__(self) -> tuple:
        return int, ("unreadable",)


def test_a_shard_that_cannot_be_unpacked_on_ray_is_no_lost_machine(on_ray):
    with pytest.raises(ValueError, match="unreadable"):
        list(in_shards(lambda _, shard: shard, [Unreadable([1, 2])], on_ray))


def test_an_error_that_cannot_be_sent_is_told_all_the_same():
    def work(_: None, shard: list[int]) -> None:
        raise ValueError(threading.Lock())

    with pytest.raises(RuntimeError, match="ValueError"):
        list(in_shards(work, TENS[:1], Cluster(workers=2)))


def test_shards_are_taken_as_there_is_room_for_their_results(cluster):
    taken = []

    def shards():
        for number in range(1000):
            taken.append(number)
            yield [number]

    found = in_shards(lambda _, shard: shard, shards(), cluster)
    next(found)
    assert len(taken) < 50
    found.close()


def test_shards_may_come_as_they_end(cluster, tmp_path):
    def work(_: None, shard: list[int]) -> int:
        while shard[0] == 0 and len(list(tmp_path.iterdir())) < len(TENS) - 1:
            time.sleep(0.01)
        (tmp_path / str(shard[0])).touch()
        return shard[0]

    found = [result for _, result in in_shards(work, TENS, cluster, ordered=False)]
    assert sorted(found) == [0, 10, 20, 30, 40, 50]
    assert found[0] != 0


def test_a_shard_may_wait_for_the_result_of_another(cluster):
    found = []

    def shards():
        yield [1]
        while not found:
            yield None
        yield [found[0] + 1]

    for _, result in in_shards(lambda _, shard: shard[0], shards(), cluster, ordered=False):
        found.append(result)
    assert found == [1, 2]


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_that_are_not_wanted_any_more_end(workers):
    def work(_: None, shard: list[int]) -> int:
        return os.getpid()

    pids = {pid for _, pid in in_shards(work, TENS, Cluster(workers=workers, warm=False))}
    assert len(pids) == workers
    assert os.getpid() not in pids
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_processes_stay_for_the_next_work():
    def work(_: None, shard: list[int]) -> int:
        return os.getpid()

    first = {pid for _, pid in in_shards(work, TENS, Cluster(workers=2))}
    second = {pid for _, pid in in_shards(work, TENS, Cluster(workers=2))}
    assert first & second


def test_more_threads_than_a_machine_has_are_refused(on_ray):
    with pytest.raises(InputError, match="no machine of the cluster has 999 cores"):
        list(in_shards(lambda _, shard: shard, TENS, replace(on_ray, threads=999)))
