"""Work in shards by one and by two nodes of a Ray cluster, and by one and two processes of this machine.

    python benchmarks/cluster.py [--quick]

Prints two tables. The nodes are on this machine, with one core each. `--quick` tries it at sizes too small to quote,
and without Ray.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cloudpickle
import pandas as pd
import psutil
import torch

import machine
from cluster_work import Work, digest
from document import Section
from memory_case import Sampler
from pt4al.cluster.seam import Cluster, in_shards
from timing import Variant, interleaved, rate, ratio, seconds

KINDS = ("features", "scores")
TEXT = """
*One node*: one worker of one core of a Ray cluster; *two nodes*: two, each on a node of its own. *This process*: no
worker at all, with one thread. *Two processes*: `engine.workers=2`, one thread each. Same bytes: of every file left, by
all ways. The two nodes share this machine's cores with the process that hands out the shards. Goal: 1.8 times one node.
"""
COSTS = """
An *empty shard* has nothing to do: what is left is the way there and back, with two workers. The job is sent once to
each worker; it holds the pool, which workers read by its path. Memory is resident memory: of the process that hands
out, above what it held before; of one worker; of all processes of Ray that are no workers.
"""
WAYS = {"one node": Cluster("ray", 1), "two nodes": Cluster("ray", 2)}
LOCAL = {"this process": Cluster(), "two processes": Cluster("local", 2)}


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    where = machine.where("fp32", " ".join([".venv/bin/python", *sys.argv]))
    for section in measure(options.quick):
        print(section.markdown(where))


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true")
    return arguments.parse_args()


def measure(quick: bool) -> list[Section]:
    """Do features and scores each way, by turns; then what the seam costs."""
    ways = dict(LOCAL) if quick else LOCAL | WAYS
    repeats = 1 if quick else 3
    with tempfile.TemporaryDirectory() as folder, _nodes(quick):
        work = Work(64, 1000, Path(folder)) if quick else Work(8_000, 30_000, Path(folder))
        rows = [_row(work, kind, ways, repeats) for kind in KINDS]
        costs = _costs(work, ways, 20 if quick else 400)
    return [
        Section("cluster", pd.DataFrame(rows), TEXT),
        Section("cluster overhead", pd.DataFrame(costs), COSTS),
    ]


@contextmanager
def _nodes(quick: bool) -> Iterator[None]:
    """A Ray cluster of two nodes of one core, to which RAY_ADDRESS leads."""
    if quick:
        yield
        return
    import ray
    from ray.cluster_utils import Cluster as Nodes

    nodes = Nodes(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes.add_node(num_cpus=1)
    os.environ["RAY_ADDRESS"] = nodes.address
    try:
        yield
    finally:
        ray.shutdown()
        del os.environ["RAY_ADDRESS"]
        nodes.shutdown()


def _row(work: Work, kind: str, ways: dict[str, Cluster], repeats: int) -> dict[str, str]:
    digests: set[str] = set()

    def do(cluster: Cluster) -> None:
        with tempfile.TemporaryDirectory() as folder:
            work.kinds[kind](cluster, Path(folder))
            digests.add(digest(Path(folder)))

    images = work.count(kind)
    variants = {name: Variant(lambda cluster=cluster: do(cluster), images) for name, cluster in ways.items()}
    rates = interleaved(variants, repeats)
    row = {"work": f"{kind} of {images:,} images"}
    if "two nodes" in ways:
        row["two nodes / one"] = ratio(rates, "two nodes", "one node")
    row["two processes / this one"] = ratio(rates, "two processes", "this process")
    row |= {f"{name}, images/s": rate(rates, name) for name in ways}
    row["same bytes"] = "yes" if len(digests) == 1 else "NO"
    print(row, file=sys.stderr, flush=True)
    return row


def _costs(work: Work, ways: dict[str, Cluster], shards: int) -> list[dict[str, str]]:
    pool = work.pool
    packed = cloudpickle.dumps(pool)
    loading = seconds(lambda: cloudpickle.loads(packed))
    start = time.perf_counter()
    cloudpickle.dumps(pool)
    sending = time.perf_counter() - start
    empty = [[number] for number in range(shards)]
    costs = []
    for cluster in ways.values():
        if cluster.alone or cluster.workers == 1:
            continue
        title = "Ray" if cluster.address == "ray" else "processes"
        first = seconds(lambda cluster=cluster: _hand_out([[0], [1]], cluster))
        took = seconds(lambda cluster=cluster: _hand_out(empty, cluster))
        sampler = Sampler()
        sampler.start()
        with tempfile.TemporaryDirectory() as folder:
            work.kinds["scores"](cluster, Path(folder))
        workers, others = _resident()
        sampler.stopped.set()
        sampler.join()
        costs.append(
            {
                "workers": title,
                "an empty shard, ms": f"{1000 * took / shards:.2f}",
                "first shards, s": f"{first:.2f}",
                f"a pool of {len(pool):,} as bytes": f"{len(packed):,}",
                "packed and read, ms": f"{1000 * sending:.1f} and {1000 * loading:.1f}",
                "handing out, MB": f"{sampler.above_base()['RssAnon']:.0f}",
                "a worker, MB": f"{workers:.0f}",
                "Ray's own, MB": f"{others:.0f}" if title == "Ray" else "",
            }
        )
    return costs


def _hand_out(shards: list[list[int]], cluster: Cluster) -> None:
    for _ in in_shards(lambda _, shard: None, shards, cluster):
        pass


def _resident() -> tuple[float, float]:
    """Return the memory in MB of the largest worker, and of all else that this process has started."""
    workers = [0.0]
    others = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            size = process.memory_info().rss / 1e6
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if any(name in command for name in ("ray::_do", "ray::IDLE", "spawn_main")):
            workers.append(size)
        else:
            others += size
    return max(workers), others


if __name__ == "__main__":
    main()
