"""Benchmark `memory`: does what a run holds in memory grow with its pool?"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

import pools
from document import Section
from pt4al.training.precision import Hardware

CASES = {"train": "training", "score": "scoring", "verify": "check of its bytes"}
TEXT = """
MB of resident memory (`VmRSS`, sampled every 2 ms) above what the process held after its imports, at its peak; each
number is the largest of {repeats} processes. Pools of random 64x64 RGB images. *Training*: one epoch of {steps}
minibatches of 256, drawn at random from the whole pool. *Scoring*: all images in order. *Check of its bytes*: the
digest that a run compares before it starts. The networks' arithmetic is left out (the loss and the score are means of
pixels), so that only the pool's handling counts. In brackets: what is not pages of a file, which the operating system
takes back when somebody needs them. The index (ids, sources, splits) is mapped too: what opening it and finding an
id's row take is a row of its own; the ratios leave it out. Goal: at 4 GB within 10 % of 1 GB.
"""


def measure(hardware: Hardware, quick: bool) -> Section:
    """Make each pool, measure each case on it in fresh processes, delete it."""
    sizes, steps, repeats = ((0.005, 0.01), 4, 1) if quick else ((0.1, 1.0, 4.0), 400, 3)
    found = {size: _pool(size, steps, repeats) for size in sizes}
    rows = [_row(found, case) for case in CASES]
    index = {f"{size:g} GB": f"{images:,} images, {_index(cases):.0f}" for size, (images, cases) in found.items()}
    rows.append({"what": "of each: the index", next(iter(rows[0].keys() - index.keys() - {"what"})): "", **index})
    return Section("memory", pd.DataFrame(rows), TEXT.format(steps=steps, repeats=repeats))


def _pool(gigabytes: float, steps: int, repeats: int) -> tuple[int, dict[str, dict[str, float]]]:
    """Return how many images the pool had, and each case's largest numbers."""
    with tempfile.TemporaryDirectory() as folder:
        images = pools.random_bytes(gigabytes, Path(folder, "pool"))
        runs = [{case: _case(Path(folder, "pool"), case, steps) for case in CASES} for _ in range(repeats)]
    return images, {case: pd.DataFrame([run[case] for run in runs]).max().to_dict() for case in CASES}


def _case(pool: Path, case: str, steps: int) -> dict[str, float]:
    script = Path(__file__).with_name("memory_case.py")
    command = [sys.executable, str(script), str(pool), case, str(steps)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _row(found: dict[float, tuple[int, dict]], case: str) -> dict[str, str]:
    peaks = {size: cases[case] for size, (_, cases) in found.items()}
    *_, base, largest = sorted(found)
    first, last = (peaks[size]["peak"] - _index(found[size][1]) for size in (base, largest))
    row = {"what": CASES[case], f"{largest:g} GB / {base:g} GB": f"{last / first:.2f}"}
    return row | {f"{size:g} GB": f"{peak['peak']:.0f} ({peak['anonymous']:.0f})" for size, peak in peaks.items()}


def _index(cases: dict[str, dict[str, float]]) -> float:
    return min(case["index"] for case in cases.values())
