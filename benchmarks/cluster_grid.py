"""Run a grid of cells on one node of a Ray cluster and on two, and compare with the same without Ray.

Each node has one core; both are on this machine. Prints seconds, what the processors worked, and
whether the label sets are the same bytes.
"""

import argparse
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from project import Project

ENGINE = "engine.threads=1,engine.precision=fp32"
GRID = f"{ENGINE},comparison.repeated=null,comparison.threads=1,comparison.workers=1"
HEADER = re.compile(r"^# (.*), cell: ", re.MULTILINE)
WORKED = re.compile(r"the processor worked ([0-9.]+) s")
TABLES = ("query.parquet", "label_set.parquet")


def main() -> None:
    """Run the grid without Ray, on one node and on two; print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=6, help="of the grid, an even number")
    parser.add_argument("--epochs", type=int, default=60, help="of a cell's trainings")
    parser.add_argument("--quick", action="store_true", help="two cells of an epoch: to try this script")
    asked = parser.parse_args()
    if asked.quick:
        asked.cells, asked.epochs = 2, 1
    seeds = "/".join(map(str, range(asked.cells // 2)))
    typed = f"{GRID},comparison.seeds={seeds},main.schedule.epochs={asked.epochs}"
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder, "project"))
        local = measure(project, typed, "local")  # makes what cells share, too
        seconds = {}
        for nodes in (1, 2):
            with ray_nodes(nodes):
                seconds[nodes] = measure(project, f"{typed},engine.cluster=ray", f"ray{nodes}")
            same = tables(project, f"ray{nodes}") == tables(project, "local")
            print(f"  {'the same bytes as' if same else 'OTHER BYTES THAN'} local", flush=True)
    print(f"cells of local / ray1: {local / seconds[1]:.2f}; of ray1 / ray2: {seconds[1] / seconds[2]:.2f}")


@contextmanager
def ray_nodes(number: int) -> Iterator[None]:
    """Start a cluster of nodes with one core each; commands find it until the block ends."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # stay at 127.0.0.1
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    for _ in range(number - 1):
        cluster.add_node(**node)
    cluster.wait_for_nodes()
    os.environ["RAY_ADDRESS"] = cluster.address
    try:
        yield
    finally:
        del os.environ["RAY_ADDRESS"]
        cluster.shutdown()


def measure(project: Project, typed: str, name: str) -> float:
    """Run a comparison, print what it took, and return the seconds of its cells."""
    params = f"--params={typed},comparison.name={name}"
    command, _ = project.time("kedro", "run", "--pipelines=comparison", "--env=tiny", params)
    said = [path.read_text() for path in logs(project, name)]
    began = min(time.mktime(time.strptime(at)) for text in said for at in HEADER.findall(text))
    cells = max(path.stat().st_mtime for path in curves(project, name)) - began
    worked = sum(float(WORKED.findall(text)[-1]) for text in said)
    load = os.getloadavg()[0]
    print(
        f"{name}: the command {command:.0f} s, its {len(said)} cells {cells:.0f} s, which were "
        f"{worked:.0f} s of work for a processor; load {load:.1f}",
        flush=True,
    )
    return cells


def logs(project: Project, name: str) -> list[Path]:
    """Return what the cells of a comparison have said."""
    return list((project.folder / "data/08_reporting" / name / "logs").glob("*.log"))


def curves(project: Project, name: str) -> list[Path]:
    """Return what each cell leaves when it has finished."""
    return list((project.folder / "data/08_reporting").glob(f"{name}-*/learning_curve.csv"))


def tables(project: Project, name: str) -> dict[str, str]:
    """Return digests of the queries and label sets of a comparison, by cell and cycle."""
    root = project.folder / "data/05_model_input"
    found = {}
    for file in TABLES:
        for path in root.glob(f"{name}-*/cycle_*/**/{file}"):
            if path.is_file():
                cell, cycle = path.relative_to(root).parts[:2]
                found[f"{cell.removeprefix(name)}/{cycle}/{file}"] = sha256(path.read_bytes()).hexdigest()
    if not found:
        raise RuntimeError(f"{root} has no queries of {name}")
    return found


if __name__ == "__main__":
    main()
