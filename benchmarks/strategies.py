"""Time and memory of each strategy's choice from large pools: 512 features in a mapped file, a process each.

    python benchmarks/strategies.py [--sizes 10000 100000 1000000] [--strategies coreset "balanced badge" ...] [--quick]

Prints a section of docs/studies/benchmarks.md. A million images take 2 GB of disk for the time being. `--quick` tries
one strategy at a size too small to quote.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import machine
from document import Section
from memory_case import Sampler
from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies import STRATEGIES, balanced
from timing import seconds

DIMENSIONS, CLASSES, BUDGET, LABELLED, WRITTEN = 512, 10, 1000, 1000, 10_000
TEXT = f"""
{BUDGET:,} of so many candidates, {LABELLED:,} labelled, {DIMENSIONS} features around {10 * CLASSES} random centres,
{CLASSES} classes. *Memory* is the peak above what the process held before choosing (sampled every 2 ms), without the
pages of the features' file, which the operating system takes back when somebody needs them; in brackets: with them.
*Process*: the largest it ever was (`ru_maxrss`).
"""


def main() -> None:
    options = _options()
    if options.case:
        print(json.dumps(_measure(options.case, options.folder)))
        return
    rows = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            _write_features(Path(folder), size)
            for name in options.strategies:
                rows.append({"strategy": name, "candidates": f"{size:,}", **_in_its_own_process(name, folder)})
                print(f"{rows[-1]}", file=sys.stderr, flush=True)
    where = machine.where("fp32", " ".join([".venv/bin/python", *sys.argv]))
    print(Section("strategies", pd.DataFrame(rows), TEXT).markdown(where))


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    arguments.add_argument("--strategies", nargs="+", default=[*STRATEGIES, "balanced coreset"], metavar="NAME")
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--case", help=argparse.SUPPRESS)
    arguments.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.quick:
        options.sizes = [2000]
        options.strategies = ["balanced coreset"]
    return options


def _in_its_own_process(name: str, folder: str) -> dict[str, str]:
    command = [sys.executable, __file__, "--case", name, "--folder", folder]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _clustered(rows: int, rng: np.random.Generator) -> np.ndarray:
    centres = np.random.default_rng(0).normal(size=(10 * CLASSES, DIMENSIONS)).astype(np.float32)
    return centres[rng.integers(len(centres), size=rows)] + rng.standard_normal((rows, DIMENSIONS), np.float32)


def _write_features(folder: Path, size: int) -> None:
    shape, rng = (size, DIMENSIONS), np.random.default_rng(1)
    features = np.lib.format.open_memmap(folder / "features.npy", "w+", np.float32, shape)
    for start in range(0, size, WRITTEN):
        features[start : start + WRITTEN] = _clustered(min(WRITTEN, size - start), rng)
    features.flush()


def _measure(name: str, folder: Path) -> dict[str, str]:
    features, rng = np.load(folder / "features.npy", mmap_mode="r"), np.random.default_rng(2)
    size = len(features)
    evidence = Evidence(
        budget=BUDGET,
        rng=np.random.default_rng(3),
        cycle=1,
        classes=CLASSES,
        batches=np.arange(size) * 5 // size,
        losses=np.sort(rng.random(size, np.float32))[::-1],
        scores=rng.random(size, np.float32),
        features=features,
        probabilities=rng.dirichlet(np.ones(CLASSES), size).astype(np.float32),
        labelled=_clustered(LABELLED, rng),
        counts=np.arange(CLASSES) * 2 * LABELLED // (CLASSES * (CLASSES - 1)),
    )
    strategy = STRATEGIES[name.removeprefix("balanced ")]()
    sampler = Sampler()
    sampler.start()
    time = seconds(lambda: balanced(strategy, evidence) if name.startswith("balanced ") else strategy.choose(evidence))
    sampler.stopped.set()
    sampler.join()
    above, largest = sampler.above_base(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    memory = {kind: max(0, peak) for kind, peak in above.items()}  # nothing was seen of the quickest
    return {
        "seconds": f"{time:.2f}",
        "memory, MB": f"{memory['RssAnon']:.0f} ({memory['VmRSS']:.0f})",
        "process, MB": f"{largest:.0f}",
    }


if __name__ == "__main__":
    main()
