"""Kill one of two nodes of Ray while it holds a shard, in each kind of work: the same bytes must come.

    python benchmarks/cluster_nodes.py [--kills N] [--kinds ...]

Both nodes are on this machine and have one core. A node is killed with SIGKILL, all processes of it at once, after its
worker was stopped (SIGSTOP) and still had a shard: so what it held, it held when it died. Then another node joins.
"""

import argparse
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import torch

import machine
from cluster_grid import GRID, tables
from cluster_work import Work, digest
from document import Section
from project import BIN, Project
from pt4al.cluster.seam import Cluster
from pt4al.features import computing
from pt4al.images import building
from pt4al.selection.strategies import coverage, parts
from pt4al.training import engine

CELLS = "cells of a comparison"
HERDING = "herding by parts"
NODE = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
AGAIN = "its shard goes to another"  # says the seam where a machine was lost with a shard
TEXT = """
*Held a shard*: the node's worker had one when it was stopped, just before all processes of the node were killed.
*Handed out again*: shards of which the command said so. *Same bytes*: every file that was left, beside the work by one
process alone; of cells, every query and label set.
"""


class Nodes:
    """A cluster of two nodes, of which the second may die."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as RayCluster

        self._cluster = RayCluster(initialize_head=True, head_node_args=NODE)
        self._second = self._cluster.add_node(**NODE)
        self.address = self._cluster.address

    def kill_holder(self) -> bool:
        """Kill the second node if its worker has a shard, and let another join; return whether it was killed."""
        raylet = psutil.Process(self._second.all_processes["raylet"][0].process.pid)
        for worker in raylet.children(recursive=True):
            if not _works(worker):
                continue
            worker.suspend()
            if _works(worker):  # it has not ended since
                self._kill(raylet)
                return True
            worker.resume()
        return False

    def _kill(self, raylet: psutil.Process) -> None:
        for process in [raylet, *raylet.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        self._cluster.remove_node(self._second, allow_graceful=False)
        self._second = self._cluster.add_node(**NODE)

    def end(self) -> None:
        """End all nodes."""
        self._cluster.shutdown()


def main() -> None:
    options = _options()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if options.cluster:
        workers = 1 if options.cluster == "local" else 0  # as many as there is room for
        _do(options.kinds[0], Cluster(options.cluster, workers), Path(options.folder))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds:
            measure = _cells if kind == CELLS else _work
            rows.append(measure(kind, Path(folder), options.kills))
            print(rows[-1], file=sys.stderr, flush=True)
    section = Section("cluster nodes", pd.DataFrame(rows), TEXT)
    print(section.markdown(machine.where("fp32", " ".join([".venv/bin/python", *sys.argv]))))


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = [*Work(0, 0, Path()).kinds, CELLS]
    arguments.add_argument("--kills", type=int, default=3, help="nodes at most, in each kind of work")
    arguments.add_argument("--kinds", nargs="+", choices=kinds, default=kinds)
    for name in ("--cluster", "--folder"):
        arguments.add_argument(name, help=argparse.SUPPRESS)
    return arguments.parse_args()


def _do(kind: str, cluster: Cluster, folder: Path) -> None:
    """Do work of a kind in a folder, in more shards than usual, so that more can happen to them."""
    engine.SHARD = 2  # minibatches
    building.SHARD = 64  # pictures
    computing.SHARD = 256
    coverage.MOST = 6_000
    parts.PART = 3_000
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.WARNING)  # says which shards are handed out again
    images = 60_000 if kind == HERDING else 12_000
    Work(8_000, images, folder.parent).kinds[kind](cluster, folder)


def _work(kind: str, folder: Path, most: int) -> dict[str, object]:
    """Do work alone, then on two nodes that die."""
    places = [folder / f"{kind} {name}" for name in ("alone", "nodes")]
    commands = []
    for place, cluster in zip(places, ("local", "ray"), strict=True):
        place.mkdir()
        options = (f"--kinds={kind}", f"--cluster={cluster}", f"--folder={place}")
        commands.append([sys.executable, __file__, *options])
    subprocess.run(commands[0], check=True)
    held, printed = _disturbed(commands[1], most)
    return _row(kind, held, printed, same=digest(places[0]) == digest(places[1]))


def _cells(kind: str, folder: Path, most: int) -> dict[str, object]:
    """Run a comparison without Ray, then on two nodes that die."""
    project = Project(folder / "project")
    typed = f"{GRID},comparison.seeds=0/1"
    command = ["kedro", "run", "--pipelines=comparison", "--env=tiny"]
    project.time(*command, f"--params={typed},comparison.name=local")
    command.append(f"--params={typed},comparison.name=nodes,engine.cluster=ray")
    held, printed = _disturbed([BIN / command[0], *command[1:]], most, project.folder)
    return _row(kind, held, printed, same=tables(project, "local") == tables(project, "nodes"))


def _disturbed(command: list, most: int, folder: Path | None = None) -> tuple[int, str]:
    """Run a command on two nodes, of which one dies now and then; return how many held a shard, and what it printed."""
    held = 0
    nodes = Nodes()
    environment = os.environ | {"RAY_ADDRESS": nodes.address}
    try:
        with tempfile.TemporaryFile("w+") as file:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT)
            while process.poll() is None:
                time.sleep(0.01)
                if held < most and nodes.kill_holder():
                    held += 1
            file.seek(0)
            printed = file.read()
    finally:
        nodes.end()
    if process.returncode:
        raise RuntimeError(printed[-4000:])
    return held, printed


def _works(process: psutil.Process) -> bool:
    try:
        return "ray::_do" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _row(kind: str, held: int, printed: str, same: bool) -> dict[str, object]:
    return {
        "work": kind,
        "nodes killed that held a shard": held,
        "shards handed out again": " ".join(printed.split()).count(AGAIN),
        "shards lost": 0 if same else "?",
        "same bytes": "yes" if same else "NO",
    }


if __name__ == "__main__":
    main()
