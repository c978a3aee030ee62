"""Study: does the estimate of how many random labels a run's labels are worth hold what it promises?

    python benchmarks/savings_study.py [--cifar10 path] [--repetitions 60] [--workers 1] [--folder folder] [--quick]

People who are always right label images of Fashion-MNIST (and of CIFAR-10, where a path to it is given), cycle by
cycle; the model is a linear probe on features of a pretext network. Half way and at the end the run's own labels say
how many random ones they are worth. The truth is read off the mean curve, on the test split, of runs that choose at
random. Each finished run is a file of its own, so this can be stopped and started again, with more repetitions too.
Ends with the table, which is also written as CSV. `--quick` tries all of it on few images, in a folder of its own.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.optimize import isotonic_regression
from threadpoolctl import threadpool_limits

from people_runs import DATA, Course, Round, Split, is_right, load, prepare, rounds
from pt4al.features import probe
from pt4al.files.whole import replacing
from pt4al.randomness import stream
from random_equivalent import FEWEST, describe, interval

QUICK = "pool.limit.train=900,pool.limit.test=200,pretext.schedule.epochs=1,pretext.schedule.minimum_steps=2"
COURSES = {
    "a tenth of 200": Course(cycles=8, budget=200, share=0.1),
    "half of 100": Course(cycles=8, budget=100, share=0.5),
}
QUICK_COURSES = {"half of 40": Course(cycles=4, budget=40, share=0.5)}
STRATEGIES = ["margin", "entropy", "random"]
RANDOM_RUNS = 10
FIRST = 25  # labels that the truth's curve begins at
KEY = ["data", "slices", "strategy", "seed"]


def random_curve(both: dict[str, Split]) -> pd.DataFrame:
    """Return `labels`, `value`: the mean accuracy on the test split of random labels, and `deviation` of one sample."""
    pool, test, classes = both["train"], both["test"], int(both["train"].targets.max()) + 1
    sizes = np.unique(np.geomspace(FIRST, 0.7 * len(pool.targets), 20).astype(np.int64))
    values = np.zeros((RANDOM_RUNS, len(sizes)))
    for run in range(RANDOM_RUNS):
        order = stream(run, "truth").permutation(len(pool.targets))
        for number, size in enumerate(sizes):
            layer = probe.fit(pool.features[order[:size]], pool.targets[order[:size]], classes)[:2]
            values[run, number] = is_right(test, np.arange(len(test.targets)), layer).mean()
    value = isotonic_regression(values.mean(axis=0)).x
    return pd.DataFrame({"labels": sizes, "value": value, "deviation": values.std(axis=0, ddof=1)})


def record(both: dict[str, Split], course: Course, strategy: str, seed: int) -> pd.DataFrame:
    """Return what a run estimates half way and at its end, and `accuracy`, on the test split, of all its labels."""
    rows = []
    for cycle, now in enumerate(rounds(both, course, strategy, True, seed)):
        if cycle + 1 not in (course.cycles // 2, course.cycles):
            continue
        labelled, at_random = _labelled(now, course)
        answers = partial(_answers, both["train"], labelled)
        found = interval(len(labelled), at_random, answers, stream(seed, "savings", cycle))
        layer = _fit(both["train"], labelled)
        accuracy = is_right(both["test"], np.arange(len(both["test"].targets)), layer).mean()
        rows.append({"labels": len(labelled), "random": len(at_random), **found, "accuracy": accuracy})
    return pd.DataFrame(rows)


def summary(runs: pd.DataFrame, curves: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how good the estimates are.

    `held`: how often the interval held the truth (which, beyond the random runs' most labels, counts as that many);
    `width`: its high end by its low one, the median; `endless`: how often it has no high end; `bias`: estimate by
    truth, the median; `said`: how often the rule lets a number be said; `right`: how often its interval then held.
    """
    parts = []
    for data, own in runs.groupby("data"):
        curve = curves[data]
        logarithm = np.interp(own["accuracy"], curve["value"], np.log(curve["labels"]))
        parts.append(own.assign(truth=np.exp(logarithm)))
    found = pd.concat(parts, ignore_index=True)
    numbers = found[["needed", "low", "high"]].fillna(np.inf)
    facts = zip(found["labels"], found["random"], numbers.to_dict("records"), strict=True)
    said = np.array([describe(*fact)["says"] == "about" for fact in facts]) & (found["random"] >= FEWEST)
    inside = (numbers["low"] <= found["truth"]) & (found["truth"] <= numbers["high"])
    points = found.assign(
        held=inside,
        endless=np.isinf(numbers["high"]),
        width=numbers["high"] / numbers["low"],
        bias=numbers["needed"] / found["truth"],
        said=said,
        right=inside.where(said).astype(float),
    )
    table = points.groupby(["data", "slices", "strategy", "labels"], sort=False).agg(
        runs=("held", "size"),
        random=("random", "mean"),
        truth=("truth", "median"),
        estimate=("needed", "median"),
        bias=("bias", "median"),
        held=("held", "mean"),
        width=("width", "median"),
        endless=("endless", "mean"),
        said=("said", "mean"),
        right=("right", "mean"),
    )
    return table.reset_index()


def _labelled(now: Round, course: Course) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the pool that have labels, and which of them are random: slices and cycle 0."""
    first = course.budget - len(now.slices[0])
    chosen = now.asked[first:]
    random = np.concatenate([now.asked[:first], *now.slices])
    return np.concatenate([chosen, random]), len(chosen) + np.arange(len(random))


def _answers(pool: Split, labelled: np.ndarray, learnt: np.ndarray, asked: np.ndarray) -> np.ndarray:
    return is_right(pool, labelled[asked], _fit(pool, labelled[learnt]))


def _fit(pool: Split, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return probe.fit(pool.features[rows], pool.targets[rows], int(pool.targets.max()) + 1)[:2]


def _run(prepared: dict[str, Path], courses: dict[str, Course], folder: Path, key: tuple) -> tuple:
    file = _file(folder, key)
    if not file.exists():
        data, slices, strategy, seed = key
        found = record(load(prepared[data]), courses[slices], strategy, seed)
        with replacing(file) as temporary:
            found.to_csv(temporary, index=False)
    return key


def _curve(prepared: Path, file: Path) -> pd.DataFrame:
    if not file.exists():
        curve = random_curve(load(prepared))
        with replacing(file) as temporary:
            curve.to_csv(temporary, index=False)
    return pd.read_csv(file)


def _file(folder: Path, key: tuple) -> Path:
    return folder / "runs" / ("-".join(map(str, key)).replace(" ", "_") + ".csv")


def _one_thread() -> None:
    torch.set_num_threads(1)
    threadpool_limits(1)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cifar10", help="folder with train.parquet and test.parquet; without it, left out")
    arguments.add_argument("--repetitions", type=int, default=60)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--folder", type=Path, default=Path("data/08_reporting/savings_study"))
    arguments.add_argument("--quick", action="store_true")
    options = arguments.parse_args()
    courses, params = COURSES, ""
    if options.quick:
        courses, params = QUICK_COURSES, QUICK
        options.repetitions = 2
        options.workers = 1
        options.folder = options.folder / "quick"
    _one_thread()
    sources = {"fashion_mnist": None} | ({"cifar10": options.cifar10} if options.cifar10 else {})
    folder = options.folder
    prepared = {data: prepare(data, sources[data], folder, params) for data in DATA if data in sources}
    curves = {data: _curve(file, folder / f"random_{data}.csv") for data, file in prepared.items()}
    keys = [
        (data, slices, strategy, seed)
        for seed in range(options.repetitions)
        for data in prepared
        for slices in courses
        for strategy in STRATEGIES
    ]
    with ProcessPoolExecutor(options.workers, get_context("spawn"), _one_thread) as processes:
        done = processes.map(partial(_run, prepared, courses, folder), keys)
        for number, key in enumerate(done, start=1):
            print(number, "of", len(keys), *key, flush=True)
    parts = [pd.read_csv(_file(folder, key)).assign(**dict(zip(KEY, key, strict=True))) for key in keys]
    table = summary(pd.concat(parts, ignore_index=True), curves)
    table.to_csv(folder / "savings.csv", index=False)
    for data, curve in curves.items():
        print(f"\n{data}, random labels\n\n{curve.round(3).to_markdown(index=False)}")
    print(f"\nsavings\n\n{table.round(2).to_markdown(index=False)}", flush=True)


if __name__ == "__main__":
    main()
