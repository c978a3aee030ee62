"""One step of benchmark `scale_index`, in a process of its own: print its seconds and its memory as JSON."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from pyarrow import compute, parquet

import configuration
from memory_case import Sampler, resident
from pt4al.files.stored_table import StoredTable
from pt4al.images.decode import Frame
from pt4al.images.index import COLUMNS
from pt4al.images.index_writing import write_index
from pt4al.images.pool import ImagePool, open_pool
from pt4al.pipelines.cycle.nodes import choose_query
from pt4al.training.networks import blank_probe

Work = Callable[[], Any]  # returns what is held
SHARD = 1_000_000  # images
LOOKED_UP = 1_000  # ids
LABELS = 10_000
BATCHES = 10
SETTINGS = (
    "query.strategy=top,query.measure=random,query.scope=pool,query.model=main,control.share=0,"
    f"cycles.number={BATCHES},cycles.budget=1000"
)


def ids(rows: np.ndarray) -> pa.Array:
    """Return the ids of rows of a made-up pool."""
    numbers = compute.utf8_lpad(pa.array(rows).cast(pa.string()), 9, "0")
    return compute.binary_join_element_wise("pictures/", numbers, ".png", "")


def make(folder: Path, images: int) -> None:
    """Write a pool, but for its index: shards of nothing but holes, and their tables."""
    folder.mkdir(parents=True)
    shards = []
    for rows in _portions(np.arange(images)):
        name = f"{rows[0]:012d}"
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(rows), 1, 1, 1)}
        with (folder / f"{name}.npy").open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + len(rows))
        table = {"id": ids(rows), "source": ["made"] * len(rows), "split": ["train"] * len(rows)}
        parquet.write_table(pa.table(table), folder / f"{name}.parquet")
        shards.append({"file": f"{name}.npy", "rows": len(rows), "sha256": ""})
    facts = {"frame": asdict(Frame(1, 1, 1)), "shape": [1, 1, 1], "signature": "", "mean": [0.0], "std": [1.0]}
    (folder / "pool.json").write_text(json.dumps({**facts, "sha256": "", "shards": shards}))


def write(folder: Path, images: int) -> Work:
    """Return what writes the index."""
    tables = sorted(folder.glob("*.parquet"))
    return lambda: write_index(folder, (parquet.read_table(table, columns=COLUMNS) for table in tables))


def open_alone(folder: Path, images: int) -> Work:
    """Return what opens the pool."""
    return lambda: open_pool(folder)


def look_up(folder: Path, images: int) -> Work:
    """Return what finds the rows of some ids."""
    rows = np.random.default_rng(0).integers(0, images, LOOKED_UP)
    wanted = pd.Series(ids(rows).to_pandas(), dtype="str")

    def find() -> ImagePool:
        pool = open_pool(folder)
        if not np.array_equal(pool.rows(wanted), rows):
            raise AssertionError("ids were found in other rows than theirs")
        return pool

    return find


def query(folder: Path, images: int) -> Work:
    """Return what chooses the query of the second cycle."""
    rng = np.random.default_rng(0)
    order = rng.permutation(images)
    ranked = folder / "ranking.parquet"
    columns = {"id": pa.string(), "pretext_loss": pa.float32(), "rank": pa.int64(), "batch": pa.int64()}
    with parquet.ParquetWriter(ranked, pa.schema(columns)) as file:
        for places in _portions(np.arange(images)):
            losses = np.linspace(9, 0, len(places), dtype=np.float32)
            part = [ids(order[places]), losses, places, places * BATCHES // images]
            file.write_table(pa.table(part, schema=file.schema))
    labelled = ids(rng.choice(images, min(LABELS, images // 10), replace=False)).to_pandas()
    label_set = pd.DataFrame({"id": pd.Series(labelled, dtype="str"), "label": "a"})
    pool = open_pool(folder)
    settings = configuration.read(params=SETTINGS)
    state = {"pool": pool, "images": pool, "features": None, "classes": ["a", "b"], "network": blank_probe(1, 2)}
    del order

    def choose() -> pd.DataFrame:
        return choose_query(settings, cycle=1, ranking=StoredTable(ranked), label_set=label_set, **state)

    return choose


STEPS = {"write": write, "open": open_alone, "look_up": look_up, "query": query}


def main() -> None:
    step, folder, images = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    if step == "make":
        make(folder, images)
        print("{}")
        return
    _warm_up(folder)
    work = STEPS[step](folder, images)
    pa.default_memory_pool().release_unused()
    sampler = Sampler()
    sampler.start()
    start = time.perf_counter()
    made = work()  # held, so that it counts
    taken = time.perf_counter() - start
    after = resident()["RssAnon"] - sampler.base["RssAnon"]
    sampler.stopped.set()
    sampler.join()
    memory = max(after, sampler.above_base()["RssAnon"])
    del made
    files = sum(path.stat().st_blocks * 512 for path in folder.glob("*.arrow"))
    print(json.dumps({"seconds": taken, "memory": memory * 1e6, "files": files}))


def _warm_up(folder: Path) -> None:
    """Make libraries take what they need once: with a pool of 1,000 images."""
    small = folder.with_name("small")
    if not small.exists():
        make(small, LOOKED_UP)
    write(small, LOOKED_UP)()
    look_up(small, LOOKED_UP)()


def _portions(rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[first : first + SHARD] for first in range(0, len(rows), SHARD))


if __name__ == "__main__":
    main()
