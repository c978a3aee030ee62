"""One step of benchmark `scale_ranking`, in a process of its own: print its seconds and its memory as JSON."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from pyarrow import parquet

import configuration
from confined import peak
from memory_case import Sampler
from pt4al.files.stored_table import StoredTable
from pt4al.files.whole import replacing
from pt4al.pipelines.ranking.nodes import rank_pool
from pt4al.project.datasets.tables import StoredTableDataset
from pt4al.selection.evidence import Evidence
from pt4al.selection.external import writing
from pt4al.selection.strategies import coverage, parts
from pt4al.selection.strategies.distances import median_squared, read_on_grid
from pt4al.selection.strategies.herding import Herding
from pt4al.selection.strategies.kernel import between
from pt4al.selection.strategies.top import best
from scale_index_case import ids
from timing import seconds

FILE = 2**22  # losses that are made at once
SCHEMA = pa.schema({"id": pa.large_string(), "pretext_loss": pa.float32()})
COMPARED_ROWS = 10_000_000  # of losses that are ranked in memory too
BATCHES, TOP, HERDED = 10, 1000, 100
DIMENSIONS, CENTRES = 16, 100
WIDE, BUDGETS, REPEATS, FEWER = 64, (50, 200, 500), 3, 5  # of the pools that can be covered exactly


def write_losses(folder: Path, images: int) -> StoredTable:
    """Write losses, rounded: equal ones, as a network that is sure gives them, must not slow the sort down."""
    path = folder / "pretext_loss.parquet"
    rng = np.random.default_rng(0)
    if not path.exists():
        with replacing(path) as temporary, parquet.ParquetWriter(temporary, SCHEMA) as file:
            for start in range(0, images, FILE):
                rows = np.arange(start, min(start + FILE, images))
                losses = rng.exponential(size=len(rows)).astype(np.float32).round(6)
                file.write_table(pa.table([ids(rows), losses], schema=SCHEMA))
    return StoredTable(path)


def make(folder: Path, images: int) -> dict[str, float]:
    """Write losses in a process of its own, whose memory is not that of ranking."""
    write_losses(folder, images)
    return {}


def write_scores(folder: Path, images: int) -> np.ndarray:
    """Write the losses as scores that are too many for memory: in a file, memory-mapped."""
    scores = np.lib.format.open_memmap(folder / "scores.npy", "w+", np.float32, (images,))
    first = 0
    for part in write_losses(folder, images).portions(["pretext_loss"]):
        scores[first : first + len(part)] = part["pretext_loss"]
        first += len(part)
    scores.flush()
    return np.load(folder / "scores.npy", mmap_mode="r")


def features(rng: np.random.Generator, images: int, dimensions: int) -> Iterator[np.ndarray]:
    """Yield features around centres, some of which have few images, none below 0, of different lengths."""
    middles = rng.normal(size=(CENTRES, dimensions)).astype(np.float32)
    often = rng.dirichlet(np.full(CENTRES, 0.5))
    for start in range(0, images, FILE // 4):
        count = min(FILE // 4, images - start)
        made = middles[rng.choice(CENTRES, count, p=often)]
        made += 0.7 * rng.standard_normal(made.shape, np.float32)
        yield np.maximum(made, 0) * rng.uniform(0.5, 2, (count, 1)).astype(np.float32)


def rank(folder: Path, images: int) -> dict[str, float]:
    """Do as the stage does with pools that are too large for memory."""
    measured = _ranked(folder, images, in_memory=0)
    if images <= COMPARED_ROWS:
        in_files = pd.read_parquet(folder / "ranking.parquet")
        _ranked(folder, images, in_memory=images)
        if not in_files.equals(pd.read_parquet(folder / "ranking.parquet")):
            raise AssertionError("the ranking made in files differs from the one made in memory")
    return measured


def rank_in_memory(folder: Path, images: int) -> dict[str, float]:
    """Do as the stage does with pools that fit in memory."""
    return _ranked(folder, images, in_memory=images)


def _ranked(folder: Path, images: int, in_memory: int) -> dict[str, float]:
    losses = write_losses(folder, images)
    settings = configuration.read(params=f"cycles.number={BATCHES}")
    blocks = (settings.ranking, settings.cycles, settings.engine, settings.run)
    dataset = StoredTableDataset(filepath=str(folder / "ranking.parquet"), dataset={"type": "pandas.ParquetDataset"})
    with patch.object(writing, "IN_MEMORY", in_memory):
        return _watched(lambda: dataset.save(rank_pool(losses, *blocks)))


def top(folder: Path, images: int) -> dict[str, float]:
    """Take the highest."""
    scores = write_scores(folder, images)
    return _watched(lambda: best(scores, TOP))


def herd(folder: Path, images: int) -> dict[str, float]:
    """Herd in parts; a pool of --quick is no larger than what is compared at once otherwise."""
    mapped = np.lib.format.open_memmap(folder / "features.npy", "w+", np.float16, (images, DIMENSIONS))
    start = 0
    for made in features(np.random.default_rng(0), images, DIMENSIONS):
        mapped[start : start + len(made)] = made
        start += len(made)
    mapped.flush()
    mapped = np.load(folder / "features.npy", mmap_mode="r")
    evidence = _evidence(mapped, min(HERDED, images // 10))
    with _at_once(min(coverage.MOST, images // 4)):
        return _watched(lambda: Herding(parts=True).choose(evidence))


def compare(folder: Path, images: int) -> dict[str, Any]:
    """Compare a sample and parts with what covers all, where that fits."""
    pool = np.concatenate(list(features(np.random.default_rng(0), images, WIDE)))
    rng = np.random.default_rng(1)
    scale = 0.5 * median_squared(pool, pool[:0], rng)
    every = read_on_grid(pool, slice(None))
    budgets = [budget for budget in BUDGETS if budget <= images // FEWER // coverage.PARTS]

    def covered(chosen: np.ndarray) -> float:
        near = [between(some, every[chosen], scale).max(1).sum(dtype=np.float64) for some in every.split(4096)]
        return float(np.sum(near))

    exact = {budget: Herding().choose(_evidence(pool, budget)) for budget in budgets}
    rows = []
    with _at_once(images // FEWER):
        for budget in budgets:
            row = {"images": f"{images:,}", "budget": f"{budget:,}"}
            for name, choose in WAYS.items():
                chosen = [choose(_evidence(pool, budget, seed)) for seed in range(REPEATS)]
                shares = [covered(some) / covered(exact[budget]) for some in chosen]
                common = np.mean([len(np.intersect1d(some, exact[budget])) / budget for some in chosen])
                row[f"{name}: covered"] = f"{np.mean(shares):.4f} ({min(shares):.4f})"
                row[f"{name}: in common"] = f"{common:.0%}"
            rows.append(row)
        return {"rows": rows, "most": coverage.MOST, "repeats": REPEATS, "dimensions": DIMENSIONS}


@contextmanager
def _at_once(most: int) -> Iterator[None]:
    """Let so many images be compared with each other."""
    before = coverage.MOST, parts.PART
    coverage.MOST = most
    parts.PART = min(parts.PART, most // coverage.PARTS)
    yield
    coverage.MOST, parts.PART = before


def _drawn(evidence: Evidence) -> np.ndarray:
    return evidence.rng.choice(len(evidence), evidence.budget, replace=False)


def _evidence(known: np.ndarray, budget: int, seed: int = 1) -> Evidence:
    none = np.zeros(len(known), np.int8)
    rng = np.random.default_rng(seed)
    evidence = Evidence(budget=budget, rng=rng, cycle=0, classes=2, batches=none, losses=none)
    return replace(evidence, features=known, labelled=np.zeros((0, known.shape[1]), np.float32))


def _watched(run: Callable[[], Any]) -> dict[str, float]:
    pa.default_memory_pool().release_unused()
    sampler = Sampler()
    sampler.start()
    before = time.thread_time()
    taken = seconds(run)
    busy = time.thread_time() - before
    sampler.stopped.set()
    sampler.join()
    return {
        "seconds": taken,
        "busy": busy,
        "memory": max(0.0, 1e6 * sampler.above_base()["RssAnon"]),
        "process": peak(),
    }


WAYS = {"sample": Herding().choose, "parts": Herding(parts=True).choose, "random": _drawn}
WORK = {"make": make, "rank": rank, "rank_in_memory": rank_in_memory, "top": top, "herd": herd, "compare": compare}


def main() -> None:
    step, folder, images = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(WORK[step](folder, images)))


if __name__ == "__main__":
    main()
