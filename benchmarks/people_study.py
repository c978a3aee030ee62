"""Study: do the control slices' intervals hold, how good are forecasts, what would the rules for stopping have done?

    python benchmarks/people_study.py [--cifar10 path] [--repetitions 60] [--workers 2] [--recorded folder] [--quick]

A person who is always right labels images of Fashion-MNIST (and of CIFAR-10, where a path to it is given); the
model is a linear probe on features of a pretext network, so that a run takes seconds. Each finished run is a
file of its own, so this can be stopped and started again. `--recorded`: a folder of learning curves of the
tool's own runs, forecast and judged too. Ends with the tables, which are also written as CSV beside the runs.
`--quick` tries all of it on few images, in a folder of its own.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint
from threadpoolctl import threadpool_limits

from back_tests import back_test, judge
from people_runs import DATA, KEY, Course, load, prepare, record
from pt4al.files.versions import newest
from pt4al.files.whole import replacing
from pt4al.randomness import stream
from pt4al.statistics.forecast import FEWEST, together
from pt4al.statistics.intervals import share

COURSE = Course(cycles=8, budget=200, share=0.1)
QUICK = "pool.limit.train=600,pool.limit.test=200,pretext.schedule.epochs=1,pretext.schedule.minimum_steps=2"
ARMS = [("margin", True), ("margin", False), ("random", True)]  # strategy, whether slices are trained on afterwards
METHODS = ["wilson", "jeffreys", "beta", "agresti_coull"]
RUN = ["data", "run"]


def intervals() -> pd.DataFrame:
    """Return what statsmodels' intervals cover, exactly, over shares from 0.5 to 0.97: no simulation needed."""
    rows, shares = [], np.arange(0.5, 0.9701, 0.005)
    for method in METHODS:
        for images in (5, 10, 20, 40, 100, 200):
            right = np.arange(images + 1)
            low, high = proportion_confint(right, images, method=method)
            chances = binom.pmf(right, images, shares[:, None])
            inside = (low <= shares[:, None]) & (shares[:, None] <= high)
            covered, width = (chances * inside).sum(axis=1), chances @ (high.clip(max=1) - low.clip(min=0))
            held = np.mean((covered >= 0.9) & (covered <= 0.99))
            facts = {"mean": covered.mean(), "worst": covered.min(), "90 to 99 %": held, "width": width.mean()}
            rows.append({"method": method, "images": images, **facts})
    return pd.DataFrame(rows)


def coverage(runs: pd.DataFrame) -> pd.DataFrame:
    """Return how often an interval held the truth, how wide it was, and by how much the estimate was off on average."""
    points = runs.assign(
        width=100 * (runs["high"] - runs["low"]),
        held=(runs["low"] <= runs["truth"]) & (runs["truth"] <= runs["high"]),
        bias=100 * (runs["value"] - runs["truth"]),
    )
    whole = points.groupby(["data", "strategy", "train"])
    facts = {"points": ("held", "size"), "held": ("held", "mean"), "width": ("width", "mean"), "bias": ("bias", "mean")}
    cycles = points.pivot_table(index=["data", "strategy", "train"], columns="cycle", values="held")
    return whole.agg(**facts).join(cycles.add_prefix("held ")).reset_index()


def combined(runs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the same of the interval that a power law through all slices so far gives the newest cycle.

    For slices that are trained on, each of which measures a model of its own.
    """
    rows = []
    for (data, strategy, _), curve in runs[runs["train"]].groupby(["data", "strategy", "run"]):
        labels, values, images = (curve[name].to_numpy(float) for name in ("labels", "value", "images"))
        for known in range(FEWEST, len(curve) + 1):
            found = together(labels[:known], values[:known], images[:known], rng)
            truth = curve["truth"].iloc[known - 1]
            held, width = found["low"] <= truth <= found["high"], 100 * (found["high"] - found["low"])
            own = {"off": 100 * abs(found["value"] - truth), "own off": 100 * abs(values[known - 1] - truth)}
            rows.append({"data": data, "strategy": strategy, "points": known, "held": held, "width": width, **own})
    return pd.DataFrame(rows).groupby(["data", "strategy", "points"], as_index=False).mean()


def forecasts(curves: pd.DataFrame, rng: np.random.Generator, nested: bool = False) -> pd.DataFrame:
    """Return the mean absolute error, in points, of each way to forecast, and how often the band held the truth."""
    found = pd.concat([back_test(own, rng, nested).assign(data=data) for data, own in curves.groupby("data")])
    said = ["power_law", "last", "slope"]
    found[said] = 100 * found[said].sub(found["truth"], axis=0).abs()
    found["width"] = 100 * (found["high"] - found["low"])
    ahead = found["ahead"].map(lambda cycles: "1" if cycles == 1 else "2 to 3" if cycles <= 3 else "4 and more")
    grouped = found.groupby(["data", ahead])
    return grouped[[*said, "width", "inside"]].mean().join(grouped.size().rename("forecasts")).reset_index()


def stops(curves: pd.DataFrame, rng: np.random.Generator, nested: bool = False) -> pd.DataFrame:
    """Return how often each rule would have stopped early, and the means of what that saved and lost."""
    parts = []
    for data, own in curves.groupby("data", sort=False):
        end = own.groupby("run")["truth" if "truth" in own else "value"].last().median()
        for name, threshold in _thresholds(round(end - 0.02, 2)):
            found = judge(own, {name: threshold}, rng, nested)
            early, lost = found["saved"] > 0, found["lost"]
            facts = {"runs": len(found), "early": early.mean(), "saved": found["saved"].mean()}
            wrong = early & (found["truth"] < threshold) if name == "target" else pd.Series([np.nan])
            facts |= {
                "below the target": wrong.mean(),
                "lost": lost.mean(),
                "lost in the worst tenth": lost.quantile(0.9),
            }
            parts.append({"data": data, "rule": name, "threshold": threshold, **facts})
    return pd.DataFrame(parts)


def _thresholds(target: float) -> list[tuple[str, float]]:
    return [("target", target), ("gain", 0.25), ("gain", 0.5), ("gain", 1.0), ("flat", 1.0), ("flat", 2.0)]


def runs(
    sources: dict[str, str | None], course: Course, repetitions: int, workers: int, folder: Path, params: str
) -> pd.DataFrame:
    """Return every run, one row a cycle; those that are missing are made."""
    keys = [
        (data, strategy, train, seed) for data in sources for seed in range(repetitions) for strategy, train in ARMS
    ]
    prepared = {data: prepare(data, source, folder, params) for data, source in sources.items()}
    with ProcessPoolExecutor(workers, get_context("spawn"), _one_thread) as processes:
        done = processes.map(partial(_run, prepared, course, folder), keys)
        for number, key in enumerate(done, start=1):
            print(number, "of", len(keys), *key, flush=True)
    parts = [pd.read_csv(_file(folder, key)).assign(**dict(zip(KEY, key, strict=True))) for key in keys]
    found = pd.concat(parts, ignore_index=True)
    found["run"] = found[["data", "strategy", "train", "seed"]].astype(str).agg("-".join, axis=1)
    found["value"] = found["right"] / found["images"]
    bounds = pd.DataFrame([share(*pair) for pair in found[["right", "images"]].to_numpy()])
    return found.join(bounds)


def recorded(folder: Path) -> pd.DataFrame:
    """Return the learning curves, on the test split, of the tool's own runs: `data`, `run`, `labels`, `value`."""
    curves = sorted(folder.glob("*/learning_curve.csv"))
    parts = [pd.read_csv(newest(path)).assign(run=path.parent.name, data="recorded runs") for path in curves]
    whole = [part for part in parts if len(part) > FEWEST]
    return pd.concat(whole, ignore_index=True).rename(columns={"accuracy": "value"})[[*RUN, "labels", "value"]]


def _run(prepared: dict[str, Path], course: Course, folder: Path, key: tuple) -> tuple:
    file = _file(folder, key)
    if not file.exists():
        data, strategy, train, seed = key
        found = record(load(prepared[data]), course, strategy, train, seed)
        with replacing(file) as temporary:
            found.to_csv(temporary, index=False)
    return key


def _file(folder: Path, key: tuple) -> Path:
    return folder / "runs" / ("-".join(map(str, key)) + ".csv")


def _one_thread() -> None:
    torch.set_num_threads(1)
    threadpool_limits(1)


def _tables(found: pd.DataFrame, folder: Path | None) -> dict[str, pd.DataFrame]:
    slices = found[found["strategy"] == "margin"]
    true = slices[slices["train"]][[*RUN, "labels", "truth"]].rename(columns={"truth": "value"})
    exact = true if folder is None else pd.concat([recorded(folder), true], ignore_index=True)
    noisy = [*RUN, "labels", "value", "low", "high", "images", "truth"]
    slice_curves = slices[slices["train"]][noisy]
    pooled = slices[~slices["train"]][noisy]
    rng = partial(stream, 0)
    return {
        "intervals": intervals(),
        "coverage": coverage(found),
        "combined": combined(found, rng("combined")),
        "forecasts_exact": forecasts(exact, rng("exact")),
        "forecasts_by_slice": forecasts(slice_curves, rng("slice")),
        "forecasts_by_all_slices": forecasts(pooled, rng("pooled"), nested=True),
        "stops_exact": stops(exact, rng("stop exact")),
        "stops_by_slice": stops(slice_curves, rng("stop slice")),
        "stops_by_all_slices": stops(pooled, rng("stop pooled"), nested=True),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cifar10", help="folder with train.parquet and test.parquet; without it, left out")
    arguments.add_argument("--repetitions", type=int, default=60)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--recorded", type=Path)
    arguments.add_argument("--folder", type=Path, default=Path("data/08_reporting/people_study"))
    arguments.add_argument("--quick", action="store_true")
    options = arguments.parse_args()
    course, params = COURSE, ""
    if options.quick:
        course, params = replace(COURSE, budget=40), QUICK
        options.repetitions = 2
        options.workers = 1
        options.folder = options.folder / "quick"
    _one_thread()
    sources = {"fashion_mnist": None} | ({"cifar10": options.cifar10} if options.cifar10 else {})
    known = {name: sources[name] for name in DATA if name in sources}
    found = runs(known, course, options.repetitions, options.workers, options.folder, params)
    for name, table in _tables(found, options.recorded).items():
        table.to_csv(options.folder / f"{name}.csv", index=False)
        print(f"\n{name}\n\n{table.round(3).to_markdown(index=False)}", flush=True)


if __name__ == "__main__":
    main()
