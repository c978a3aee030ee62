"""Measure the index of pools of a million to a hundred million made-up images: writing, opening, looking up, a query.

    python benchmarks/scale_index.py [--images 1000000 10000000 100000000] [--folder FOLDER] [--quick]

A hundred million take 18 GB of disk in FOLDER (a temporary one by default), deleted at the end. Prints a table, and
what the largest pool would have taken by the formula of the smaller ones. `--quick` tries it at sizes too small to
quote.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import confined
import machine
from document import Section
from pt4al.training.precision import choose_precision

CASE = Path(__file__).with_name("scale_index_case.py")
SIZES = [1_000_000, 10_000_000, 100_000_000]
QUICK = [3_000, 6_000, 12_000]
STEPS = {"write": "writing", "open": "opening", "look_up": "looking up", "query": "query, top"}
TEXT = """
Pools of made-up ids of 22 characters; of their images, one byte each, nothing but holes is on disk. Each step is a
process of its own. *Writing* the index from the shards' tables; *opening* the pool; *looking up* the rows of 1,000 ids
drawn at random, in a pool just opened; *query*: `choose_query` with strategy top of random scores, scope pool, of a
ranking in random order. *Memory* is the peak of what is no file's pages (`RssAnon`, sampled every 2 ms) above what
the process held before the step; opening and looking up are counted together, above what a pool of 1,000 images took.
Pages of the index's files are the operating system's to take back.
"""


def main() -> None:
    options = _options()
    sizes = options.images or (QUICK if options.quick else SIZES)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = {size: _measured(Path(folder, "pool"), size, options.quick) for size in sorted(sizes)}
    where = machine.where(choose_precision("cpu"), " ".join([".venv/bin/python", *sys.argv]))
    print(Section("scale_index", pd.DataFrame(_rows(found)), TEXT + "\n".join(_formulas(found))).markdown(where))


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--images", type=int, nargs="+", help="of each pool")
    arguments.add_argument("--folder", type=Path, help="where there is room")
    arguments.add_argument("--quick", action="store_true")
    return arguments.parse_args()


def _measured(pool: Path, images: int, quick: bool) -> dict[str, dict[str, float]]:
    """Make a pool, measure each step on it, and delete it."""
    confined.call(CASE, "make", pool, images)
    found = {}
    for step in STEPS:
        found[step] = confined.call(CASE, step, pool, images)
        print(f"{images:,} {step}: {found[step]}", file=sys.stderr, flush=True)
    shutil.rmtree(pool)
    return found


def _rows(found: dict[int, dict[str, dict[str, float]]]) -> list[dict[str, str]]:
    rows = []
    for images, steps in found.items():
        for step, title in STEPS.items():
            if step not in steps:
                continue
            facts = steps[step]
            each = facts["memory"] / images
            row = {"images": f"{images:,}", "step": title, "bytes an image": f"{each:.2f}"}
            row |= {"memory, MB": f"{facts['memory'] / 1e6:.1f}", "seconds": f"{facts['seconds']:.3f}"}
            rows.append(row | {"files, bytes an image": f"{facts['files'] / images:.1f}"})
    return rows


def _formulas(found: dict[int, dict[str, dict[str, float]]]) -> list[str]:
    """Say what is constant and what an image adds, by the smaller pools, and how wrong that is of the largest."""
    lines = []
    for step, title in STEPS.items():
        sizes = [size for size in found if step in found[size]]
        if len(sizes) < 3:
            continue
        *smaller, largest = sizes
        for fact, unit, scale in (("memory", "MB", 1e6), ("seconds", "s", 1)):
            values = [found[size][step][fact] / scale for size in smaller]
            slope, start = np.polyfit(smaller, values, 1)
            predicted = start + slope * largest
            truth = found[largest][step][fact] / scale
            lines.append(
                f"- {title}, {fact}: {start:.3g} {unit} + {slope * 1e6:.3g} {unit} a million images; at {largest:,} "
                f"{predicted:.4g} {unit}, measured {truth:.4g} ({predicted - truth:+.3g})"
            )
    return lines


if __name__ == "__main__":
    main()
