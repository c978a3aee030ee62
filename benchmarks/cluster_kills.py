"""Kill workers and the command itself while they work: the same bytes must come, and none be lost.

    python benchmarks/cluster_kills.py [--kills N] [--quick]

Prints a table. Workers are ended with SIGKILL, one after another, wherever a shard happens to be; a kill counts if its
victim lived. Ray is started on this machine for it. `--quick` kills one worker of this machine's processes, and needs
no Ray. Whole machines are killed by cluster_nodes.py.
"""

import argparse
import logging
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import psutil
import torch

import machine
from cluster_work import Work, digest
from document import Section
from pt4al.cluster.seam import Cluster
from pt4al.images import building
from pt4al.images.pool import open_pool
from pt4al.training import engine

PAUSE = (1.0, 3.0)  # seconds between two kills
PATIENCE = 30.0  # seconds for a shard, where one hangs
ROUNDS = 8  # of a kind of work, until enough are killed
TEXT = """
*Undisturbed*: the same work by this process alone. *Same bytes*: every file that was left. A worker that hangs is one
that is stopped (SIGSTOP), with a patience of {patience:g} seconds. The picture that kills its worker ends up among
*problems* with the half of its shard; all others are there.
"""


@dataclass(frozen=True)
class Case:
    """A kind of work, who does it, and what happens to them."""

    kind: str
    title: str
    cluster: Cluster
    happens: str


class Heard(logging.Handler):
    """Counts the shards that the seam says it hands out again."""

    def __init__(self) -> None:
        super().__init__()
        self.again = 0

    def emit(self, record: logging.LogRecord) -> None:
        """See Handler."""
        self.again += "its shard" in record.msg


class Killer(threading.Thread):
    """Does something to workers while a block runs.

    Parameters
    ----------
    act
        Does it once; returns whether it was done.
    most
        How often.
    """

    def __init__(self, act: Callable[[], bool], most: int):
        super().__init__(daemon=True)
        self.done = 0
        self._act = act
        self._most = most
        self._over = threading.Event()

    def run(self) -> None:
        """See Thread."""
        pauses = random.Random(0)
        while self.done < self._most and not self._over.wait(pauses.uniform(*PAUSE)):
            self.done += self._act()

    def __enter__(self) -> "Killer":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self.join()


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    engine.SHARD = 2  # minibatches: more shards, so that more can happen to them
    building.SHARD = 64  # pictures
    if options.case:
        cluster = Cluster(options.cluster, workers=2)
        _work(options.quick, Path(options.folder)).kinds[options.case](cluster, Path(options.case_folder))
        return
    rows = measure(options.quick, options.kills)
    section = Section("cluster kills", pd.DataFrame(rows), TEXT.format(patience=PATIENCE))
    print(section.markdown(machine.where("fp32", " ".join([".venv/bin/python", *sys.argv]))))


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=3, help="workers, of each kind of work and cluster")
    arguments.add_argument("--quick", action="store_true")
    for name in ("--case", "--cluster", "--folder", "--case-folder"):
        arguments.add_argument(name, help=argparse.SUPPRESS)
    return arguments.parse_args()


def measure(quick: bool, kills: int) -> list[dict[str, str]]:
    """Do each kind of work undisturbed, then with what may happen to it."""
    rows: list[dict[str, str]] = []
    heard = Heard()
    logging.getLogger("pt4al.cluster.seam").addHandler(heard)
    with tempfile.TemporaryDirectory() as folder:
        work = _work(quick, Path(folder))
        kinds = ["scores"] if quick else list(work.kinds)
        plain = {kind: _done(work, kind, Cluster(), Path(folder, f"plain {kind}")) for kind in kinds}

        def note(case: Case, disturbed: "Result", count: int) -> None:
            rows.append(_row(case, plain[case.kind], disturbed, count, heard.again))
            heard.again = 0
            print(rows[-1], file=sys.stderr, flush=True)

        for title, cluster, running in _clusters(quick):
            with running():
                for kind in kinds:
                    case = Case(kind, title, cluster, "worker killed")
                    note(case, *_killed(work, case, Path(folder), 1 if quick else kills))
                if not quick:
                    case = Case("scores", title, replace(cluster, patience=PATIENCE), "worker hangs")
                    note(
                        case, *_disturbed(work, case, Path(folder, f"hung {title}"), _act_on(title, signal.SIGSTOP), 1)
                    )
        if quick:
            return rows
        for kind in kinds:
            for title, cluster in (("2 processes", "local"), ("Ray", "ray")):
                case = Case(kind, title, Cluster(cluster, 2), "command killed, typed again")
                note(case, *_again(case, Path(folder), plain[kind].seconds))
        rows += [_poisoned(work, title, Cluster(place, 2), Path(folder)) for title, place in PLACES.items()]
    return rows


PLACES = {"2 processes": "local", "Ray": "ray"}


@dataclass(frozen=True)
class Result:
    """What work left: seconds it took, and a digest of its files."""

    seconds: float
    digest: str


def _work(quick: bool, folder: Path) -> Work:
    return Work(200, 1500, folder) if quick else Work(10_000, 24_000, folder)


def _clusters(quick: bool) -> Iterator[tuple[str, Cluster, Callable]]:
    yield "2 processes", Cluster("local", 2), _nothing
    if not quick:
        yield "Ray", Cluster("ray", 2), _ray


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _ray() -> Iterator[None]:
    import ray

    try:
        yield
    finally:
        ray.shutdown()


def _done(work: Work, kind: str, cluster: Cluster, folder: Path) -> Result:
    folder.mkdir(exist_ok=True)
    start = time.perf_counter()
    work.kinds[kind](cluster, folder)
    return Result(time.perf_counter() - start, digest(folder))


def _disturbed(work: Work, case: Case, folder: Path, act: Callable[[], bool], most: int) -> tuple[Result, int]:
    with Killer(act, most) as killer:
        result = _done(work, case.kind, case.cluster, folder)
    return result, killer.done


def _killed(work: Work, case: Case, folder: Path, wanted: int) -> tuple[Result, int]:
    """Do the work again and again, until so many workers are killed."""
    seconds = 0.0
    kills = 0
    digests: set[str] = set()
    for turn in range(ROUNDS):
        place = folder / f"{case.title} {case.kind} {turn}"
        result, more = _disturbed(work, case, place, _act_on(case.title, signal.SIGKILL), wanted - kills)
        seconds = max(seconds, result.seconds)
        kills += more
        digests.add(result.digest)
        if kills >= wanted:
            break
    return Result(seconds, " ".join(digests)), kills


def _act_on(title: str, number: int) -> Callable[[], bool]:
    """Return what sends a signal to the worker that has lived longest, so that a shard is not hit twice in a row."""

    def act() -> bool:
        ours = psutil.Process().children(recursive=True)
        workers = [process for process in ours if _works(process, title)]
        if not workers:
            return False
        victim = min(workers, key=psutil.Process.create_time)
        try:
            lived = victim.is_running() and victim.status() != psutil.STATUS_ZOMBIE
            victim.send_signal(number)
        except psutil.NoSuchProcess:
            return False
        return lived

    return act


def _works(process: psutil.Process, title: str) -> bool:
    return ("ray::_do" if title.startswith("Ray") else "spawn_main") in _command(process)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _again(case: Case, folder: Path, seconds: float) -> tuple[Result, int]:
    """Kill a command that does the work, in the middle, and type it again."""
    place = folder / f"again {case.title} {case.kind}"
    place.mkdir()
    options = {"case": case.kind, "cluster": case.cluster.address, "folder": folder, "case-folder": place}
    command = [sys.executable, __file__, *(f"--{name}={value}" for name, value in options.items())]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    while not _works_in(process.pid, case.title) and process.poll() is None:
        time.sleep(0.1)
    time.sleep(seconds / 4)
    process.kill()
    killed = process.wait() == -signal.SIGKILL
    subprocess.run(command, check=True)
    return Result(time.perf_counter() - start, digest(place)), int(killed)


def _works_in(pid: int, title: str) -> bool:
    try:
        return any(_works(process, title) for process in psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return False


def _poisoned(work: Work, title: str, cluster: Cluster, folder: Path) -> dict[str, str]:
    """Decode pictures of which one kills whoever decodes it."""
    poisoned = replace(work, pictures=1000, poison=500)
    with _ray() if title == "Ray" else _nothing():
        result = _done(poisoned, "decode", cluster, folder / f"poisoned {title}")
    pool = open_pool(folder / f"poisoned {title}" / "pool")
    problems = pool.problems
    return {
        "work": "decode",
        "workers": title,
        "what happened": "a picture kills its worker",
        "times": "4",
        "shards handed out again": "",
        "undisturbed, s": "",
        "disturbed, s": f"{result.seconds:.0f}",
        "same bytes": f"{len(problems)} of 1,000 among problems: {problems['reason'].iloc[0]}",
        "lost": str(1000 - len(pool) - len(problems)),
    }


def _row(case: Case, plain: Result, disturbed: Result, count: int, again: int) -> dict[str, str]:
    same = disturbed.digest == plain.digest
    return {
        "work": case.kind,
        "workers": case.title,
        "what happened": case.happens,
        "times": str(count),
        "shards handed out again": str(again),
        "undisturbed, s": f"{plain.seconds:.0f}",
        "disturbed, s": f"{disturbed.seconds:.0f}",
        "same bytes": "yes" if same else "NO",
        "lost": "0" if same else "?",
    }


if __name__ == "__main__":
    main()
