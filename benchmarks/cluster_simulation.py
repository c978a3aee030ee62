"""Simulate work in shards on clusters that are not here: the seam's own scheduler, made-up workers, a made-up clock.

    python benchmarks/cluster_simulation.py [--validate local|ray] [--quick]

Prints tables: wall time by stage for 1e6 to 1e9 images on 8 and 64 GPUs, and what the simulation says of two workers of
this machine beside what they took. Rates of processors are measured (docs/studies/benchmarks.md, or by this script);
rates of GPUs are ASSUMED, since none was measured: `GPU` in the source.
"""

import argparse
import heapq
import logging
import math
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import cloudpickle
import numpy as np
import pandas as pd
import torch

import machine
import pools
from cluster_work import Work
from document import Section
from pt4al.cluster import seam
from pt4al.cluster.seam import Cluster, Crew, Died, Done, Outcome, in_shards

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers have no benchmarks to import

CORES = 16  # of a machine with one GPU: assumed
SHARDS = 400_000  # simulated at most; more of them take as long in proportion
HOUR = 3600.0

# Images a second and core, measured: docs/studies/benchmarks.md, on an AMD EPYC of two cores.
DECODED_SMALL = 2921 / 2  # JPEG files of at most 112 pixels
DECODED_LARGE = 1173 / 2  # of 1024 pixels
# Seconds that Ray takes for each running shard whenever it is asked which have ended, measured with 1,000.
WAITING = 0.29e-6
# Images a second and GPU, ASSUMED.
GPU = {"features": 10_000.0, "scores": 20_000.0, "training": 10_000.0}


@dataclass(frozen=True)
class Stage:
    """Work of one kind.

    Attributes
    ----------
    rate
        Images a second and worker.
    shard
        Images that a worker takes at once.
    intake
        Seconds that the process that hands out needs for the result of one image.
    handing
        Seconds it needs for each shard.
    spread
        Standard deviation of the logarithm of a shard's seconds.
    begin
        Seconds before a new worker's first shard: Python, torch, the network.
    slow, slower
        Share of shards that straggle, and how many times longer they take.
    lifetime
        Seconds that a worker lives on average before it is killed.
    restart
        Seconds until another takes its place.
    """

    rate: float
    shard: int
    intake: float
    handing: float
    spread: float = 0.2
    begin: float = 10.0
    slow: float = 0.01
    slower: float = 5.0
    lifetime: float = 24 * HOUR
    restart: float = 60.0


NEVER = 1e12  # seconds
QUIET = Stage(1.0, 1, intake=0.0, handing=0.0, spread=0.0, begin=0.0, slow=0.0, lifetime=NEVER)


@dataclass(frozen=True)
class Simulated:
    """What came of it: seconds, workers' deaths, and the share of workers' time that is not waiting."""

    seconds: float
    deaths: int
    busy: float


class Clock:
    """Seconds that pass only when they are let pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """See time.monotonic."""
        return self.now


class MadeUp(Crew):
    """Workers that take time, straggle and die, and do nothing."""

    def __init__(self, clock: Clock, stage: Stage, workers: int, took: list[float] | None = None):
        self.deaths = 0
        self.busy = 0.0
        self._clock = clock
        self._stage = stage
        self._took = took  # seconds of each shard, where they are known
        self._workers = workers
        self._new = workers  # that have not begun
        self._running: list[tuple[float, tuple, Outcome]] = []
        self._coming: list[float] = []  # when those come back that died
        self._draw = random.Random(0)

    def __exit__(self, *error: object) -> None:
        """See Crew."""

    def slots(self) -> int:
        """See Crew."""
        while self._coming and self._coming[0] <= self._clock.now:
            heapq.heappop(self._coming)
        return self._workers - len(self._coming)

    def start(self, key: tuple, shard: range) -> None:
        """See Crew."""
        stage = self._stage
        self._clock.now += stage.handing
        usual = len(shard) / stage.rate if self._took is None else self._took[key[0]]
        seconds = usual * math.exp(self._draw.gauss(-(stage.spread**2) / 2, stage.spread))
        if self._draw.random() < stage.slow:
            seconds *= stage.slower
        self.busy += usual
        if self._new:
            self._new -= 1
            seconds += stage.begin
        life = self._draw.expovariate(1 / stage.lifetime)
        outcome: Outcome = Done(len(shard)) if life > seconds else Died("it was killed")
        heapq.heappush(self._running, (self._clock.now + min(life, seconds), key, outcome))

    def ended(self, seconds: float) -> list[tuple[tuple, Outcome]]:
        """See Crew: one at a time, as Ray's."""
        until = self._clock.now + seconds
        if not self._running or self._running[0][0] > until:
            self._clock.now = until
            return []
        moment, key, outcome = heapq.heappop(self._running)
        self._clock.now = max(self._clock.now, moment)
        if isinstance(outcome, Died):
            self.deaths += 1
            self._new += 1
            heapq.heappush(self._coming, self._clock.now + self._stage.restart)
        return [(key, outcome)]

    def stop(self, key: tuple) -> None:
        """See Crew."""
        self._running = [one for one in self._running if one[1] != key]
        heapq.heapify(self._running)


def simulate(stage: Stage, images: int, workers: int, took: list[float] | None = None) -> Simulated:
    """Let the seam's scheduler hand out images to made-up workers; RuntimeError if it loses one.

    `took`: seconds of each shard, instead of those by the stage's rate.
    """
    shards = math.ceil(images / stage.shard)
    taken = min(shards, max(SHARDS, 8 * workers))
    count = images if taken == shards else taken * stage.shard
    clock = Clock()
    crew = MadeUp(clock, stage, workers, took)
    cuts = (range(first, min(first + stage.shard, count)) for first in range(0, count, stage.shard))
    cluster = Cluster("ray", workers, patience=100 * stage.shard / stage.rate + 100 * stage.begin)
    schedule = seam._Schedule(crew, cuts, cluster, "simulated", seam._refuse("simulated"), ordered=True)
    back = 0
    kept = seam.time, seam.logger.level
    seam.time = SimpleNamespace(monotonic=clock.monotonic)
    seam.logger.setLevel(logging.ERROR)
    try:
        for shard, result in schedule:
            clock.now += stage.intake * result
            back += len(shard)
    finally:
        seam.time, level = kept
        seam.logger.setLevel(level)
    if back != count:
        raise RuntimeError(f"{count - back} images were lost")
    share = images / count
    return Simulated(clock.now * share, round(crew.deaths * share), crew.busy / (workers * clock.now))


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    where = machine.where("fp32", " ".join([".venv/bin/python", *sys.argv]))
    for section in measure(options.quick, options.validate):
        print(section.markdown(where))


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--validate", choices=["local", "ray"], default="local")
    arguments.add_argument("--quick", action="store_true")
    return arguments.parse_args()


def measure(quick: bool, address: str) -> Iterator[Section]:
    """Measure the costs of handing out, simulate, and compare with two workers."""
    costs = _costs(quick, address)
    text = ASSUMED.format(cores=CORES, **{name: f"{rate:,.0f}" for name, rate in GPU.items()})
    yield Section("costs of handing out", pd.DataFrame([costs.row()]), COSTS)
    sizes = [10**6] if quick else [10**6, 10**7, 10**8, 10**9]
    rows = [row for size in sizes for gpus in (8, 64) for row in _simulated(size, gpus, costs)]
    yield Section("simulated", pd.DataFrame(rows), text)
    yield Section("simulated and measured", pd.DataFrame(_validated(quick, address, costs)), VALIDATED)


COSTS = """
Of the one process that hands out shards and takes what comes back, measured here in seconds of the processor, without
those of waiting for neighbours: *a shard* is an empty one, by two workers; *an image* is unpacked from the bytes that a
worker sent, and written or kept.
"""
ASSUMED = """
The seam's own scheduler, driven by made-up workers: 1 % of the shards take five times as long, the others spread by a
fifth; each worker is killed once in 24 hours and comes back after a minute. ASSUMED, since no GPU was measured: a GPU
computes {features} features, scores {scores} images and trains on {training} images a second, and its machine has
{cores} cores. *Handing out alone*: the least that one process needs to take all results in; where that is most of
the time, more GPUs do not help. *Efficiency*: share of the workers' time that is not waiting.
"""
VALIDATED = """
*Simulated* from the seconds of each shard by one worker, with nobody dying; *measured* with the workers of this
machine. Shards that sleep need no core, so that eight workers fit.
"""


@dataclass(frozen=True)
class Costs:
    """Seconds of the process that hands out."""

    shard: float
    decoded: float  # an image of 64 pixels
    features: float  # an image of 1,280 numbers
    scores: float  # an image of 10 numbers

    def row(self) -> dict[str, str]:
        """Return a table's cells."""
        return {
            "a shard, ms": f"{1e3 * self.shard:.2f}",
            "a decoded image, microseconds": f"{1e6 * self.decoded:.1f}",
            "features of an image, microseconds": f"{1e6 * self.features:.1f}",
            "scores of an image, microseconds": f"{1e6 * self.scores:.3f}",
        }


def _costs(quick: bool, address: str) -> Costs:
    cluster = Cluster(address, 2)
    empty = [[number] for number in range(20 if quick else 500)]

    def hand_out(shards: list[list[int]]) -> float:
        start = time.process_time()
        for _ in in_shards(lambda _, shard: None, shards, cluster):
            pass
        return time.process_time() - start

    hand_out(empty[:2])
    shard = hand_out(empty) / len(empty)
    size = 1000 if quick else 40_000
    return Costs(shard, _decoded(size), _copied(1280, np.float16), _copied(10, np.float32))


def _decoded(size: int) -> float:
    images = np.random.default_rng(0).integers(0, 256, (250, *pools.SHAPE), np.uint8)
    packed = images.tobytes()
    chunks = (np.frombuffer(packed, np.uint8).reshape(images.shape).copy() for _ in range(size // 250))
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        pools.write(Path(folder, "pool"), size, chunks)
        return (time.process_time() - start) / size


def _copied(width: int, kind: type) -> float:
    """Return what it takes to copy a result twice, from the pipe and into its place."""
    part = np.ones((4096, width), kind)
    place = np.empty_like(part)
    start = time.process_time()
    for _ in range(20):
        place[:] = np.frombuffer(part.tobytes(), kind).reshape(part.shape)
    return (time.process_time() - start) / (20 * len(part))


def _stages(costs: Costs, gpus: int) -> dict[str, tuple[Stage, int]]:
    """Return the work in shards of a run, and who does it."""
    of_cores = CORES * DECODED_LARGE
    shard = costs.shard + WAITING * gpus
    decoded = Stage(DECODED_LARGE, 256, costs.decoded, costs.shard + WAITING * CORES * gpus)
    return {
        "decode large photos (cores)": (decoded, CORES * gpus),
        "features of large photos": (
            Stage(min(GPU["features"], of_cores), 512, costs.features, shard),
            gpus,
        ),
        "scores of one cycle": (Stage(GPU["scores"], 16 * 2048, costs.scores, shard), gpus),
    }


def _simulated(images: int, gpus: int, costs: Costs) -> Iterator[dict[str, str]]:
    for name, (stage, workers) in _stages(costs, gpus).items():
        found = simulate(stage, images, workers)
        least = images * stage.intake + math.ceil(images / stage.shard) * stage.handing
        yield {
            "images": f"{images:.0e}".replace("e+0", "e"),
            "GPUs": str(gpus),
            "work": name,
            "workers": f"{workers:,}",
            "wall time": _duration(found.seconds),
            "efficiency": f"{found.busy:.0%}",
            "GPU-hours": f"{gpus * found.seconds / HOUR:,.2f}",
            "handing out alone": _duration(least),
            "killed": f"{found.deaths:,}",
        }


def _duration(seconds: float) -> str:
    if seconds < 2 * 60:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / HOUR:,.1f} h"


def _validated(quick: bool, address: str, costs: Costs) -> Iterator[dict[str, str]]:
    """Compare what is simulated of several workers with what they take."""
    with tempfile.TemporaryDirectory() as folder:
        work = Work(64, 1000 if quick else 20_000, Path(folder))
        yield _compared("scores", work.scoring(256), address, 2, costs)
    draw = random.Random(0)
    naps = [[draw.lognormvariate(-3.0 if quick else -1.0, 0.5)] for _ in range(16 if quick else 160)]
    yield _compared("sleep", (naps, lambda: None, _sleep), address, 2 if quick else 8, costs)


def _sleep(_: None, shard: list[float]) -> None:
    time.sleep(sum(shard))


def _compared(name: str, job: tuple, address: str, workers: int, costs: Costs) -> dict[str, str]:
    shards, prepare, work = job

    def timed(prepared: object, shard: list) -> float:
        start = time.perf_counter()
        work(prepared, shard)
        return time.perf_counter() - start

    prepared = prepare()
    timed(prepared, shards[0])
    alone = [timed(prepared, shard) for shard in shards]
    cluster = Cluster(address, workers)
    for _ in in_shards(timed, shards[:workers] * 2, cluster, prepare):  # workers are there, and have begun
        pass
    start = time.perf_counter()
    for _ in in_shards(timed, shards, cluster, prepare):
        pass
    measured = time.perf_counter() - start
    seconds = simulate(replace(QUIET, handing=costs.shard), len(alone), workers, alone).seconds
    return {
        "work": f"{name}, {len(shards)} shards",
        "workers": f"{workers} ({address})",
        "simulated, s": f"{seconds:.2f}",
        "measured, s": f"{measured:.2f}",
        "error": f"{(seconds - measured) / measured:+.0%}",
    }


if __name__ == "__main__":
    main()
