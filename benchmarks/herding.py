"""Benchmark `herding`: seconds and memory of its choice from large pools, beside plain greedy on small ones.

    python benchmarks/herding.py [--features FILE] [--quick]

Prints the section that `run.py` writes. `--features`: an .npy file (N, D) of real features, of which the pools are
made by mixing two and adding noise; else by chance around centres. A million images take 2.6 GB of disk for the time
being. `--quick` tries it at sizes too small to quote.
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
import torch

import machine
from document import Section
from memory_case import Sampler
from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.coverage import gaussian, lazy_greedy
from pt4al.selection.strategies.distances import median_squared, read_on_grid
from pt4al.selection.strategies.uncertainty_herding import UncertaintyHerding
from pt4al.training.precision import Hardware, choose_precision
from timing import seconds

DIMENSIONS, CENTRES, LABELLED, WRITTEN = 1280, 100, 1000, 10_000
TEXT = """
Strategy `uncertainty_herding`, {labelled:,} labelled, {dimensions:,} float16 features in a mapped file, {made}. *Greedy
alone*: the lazy greedy beside plain greedy, which computes every gain anew for every choice, on one kernel; both
choose the same. *Memory*: the peak above what the process held before choosing (sampled every 2 ms), without the
pages of the features' file, which the operating system takes back when somebody needs them; in brackets: with them.
*Process*: the largest it ever was (`ru_maxrss`). Goal: 1,000 of a million within 60 s and 4 GB above the file.
"""


def main() -> None:
    options = _options()
    if options.case:
        torch.set_num_threads(options.threads)
        print(json.dumps(_measure(options.case, options.budget)))
        return
    hardware = Hardware("cpu", choose_precision("cpu"))
    section = measure(hardware, options.quick, options.features)
    print(section.markdown(machine.where(hardware.precision, " ".join([".venv/bin/python", *sys.argv]))))


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--features", type=Path, metavar="FILE")
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--case", type=Path, help=argparse.SUPPRESS)
    arguments.add_argument("--budget", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    return arguments.parse_args()


def measure(hardware: Hardware, quick: bool, real: Path | None = None) -> Section:
    """Choose from pools of several sizes, each in a process of its own."""
    sizes, budget = ([300], 20) if quick else ([2_000, 10_000, 100_000, 1_000_000], 1000)
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "features.npy")
            _write(file, size, np.load(real) if real else None)
            chosen = min(budget, size // 10)
            rows.append({"candidates": f"{size:,}", "budget": f"{chosen:,}", **_in_its_own_process(file, chosen)})
            print(rows[-1], file=sys.stderr, flush=True)
    made = "of real images, mixed" if real else "around random centres"
    return Section("herding", pd.DataFrame(rows), TEXT.format(labelled=LABELLED, dimensions=DIMENSIONS, made=made))


def _in_its_own_process(file: Path, budget: int) -> dict[str, str]:
    threads = torch.get_num_threads()
    command = [sys.executable, __file__, f"--case={file}", f"--budget={budget}", f"--threads={threads}"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _write(file: Path, size: int, real: np.ndarray | None) -> None:
    rng = np.random.default_rng(0)
    if real is None:
        real = np.maximum(rng.normal(size=(CENTRES, DIMENSIONS)), 0).astype(np.float32)
    noise = (0.2 if len(real) > CENTRES else 0.5) * real.std(0, dtype=np.float32)
    features = np.lib.format.open_memmap(file, "w+", np.float16, (size, real.shape[1]))
    for start in range(0, size, WRITTEN):
        first, second = rng.integers(len(real), size=(2, min(WRITTEN, size - start)))
        share = 0.4 * rng.random((len(first), 1), np.float32)
        mixed = (1 - share) * real[first] + share * real[second]
        mixed += noise * rng.standard_normal(mixed.shape, np.float32)
        features[start : start + WRITTEN] = np.maximum(mixed, 0)
    features.flush()


def _measure(file: Path, budget: int) -> dict[str, str]:
    features = np.load(file, mmap_mode="r")
    rng = np.random.default_rng(1)
    evidence = Evidence(
        budget=budget,
        rng=rng,
        cycle=1,
        classes=10,
        batches=np.zeros(len(features), np.int64),
        losses=np.zeros(len(features), np.float32),
        scores=rng.random(len(features), np.float32),
        features=features,
        labelled=np.array(features[-LABELLED:]),
    )
    sampler = Sampler()
    sampler.start()
    time = seconds(lambda: UncertaintyHerding().choose(evidence))
    sampler.stopped.set()
    sampler.join()
    above, largest = sampler.above_base(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {
        "greedy alone / plain greedy": _beside_plain(features, budget) if len(features) <= 2_000 else "",
        "seconds": f"{time:.1f}",
        "memory, MB": f"{above['RssAnon']:.0f} ({above['VmRSS']:.0f})",
        "process, MB": f"{largest:.0f}",
    }


def _beside_plain(features: np.ndarray, budget: int) -> str:
    rng = np.random.default_rng(2)
    kernel = gaussian(read_on_grid(features, slice(None)), 0.5 * median_squared(features, features[:0], rng))
    covered, weights = np.zeros(len(kernel), np.float32), rng.random(len(kernel), np.float32)
    chosen = []
    lazy = seconds(lambda: chosen.append(lazy_greedy(kernel, covered, weights, budget)))
    plain = seconds(lambda: chosen.append(_plain_greedy(kernel, weights, budget)))
    if chosen[0] != chosen[1]:
        raise AssertionError("lazy greedy chose other images than plain greedy")
    return f"{lazy / plain:.3f} ({lazy:.2f} s / {plain:.2f} s)"


def _plain_greedy(kernel: np.ndarray, weights: np.ndarray, budget: int) -> list[int]:
    covered = np.zeros(len(kernel), np.float32)
    chosen: list[int] = []
    for _ in range(budget):
        gains = (np.maximum(kernel - covered, 0) * weights).sum(1, dtype=np.float64)
        chosen.append(int(gains.argmax()))
        covered = np.maximum(covered, kernel[chosen[-1]])
    return chosen


if __name__ == "__main__":
    main()
