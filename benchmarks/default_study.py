"""Find the default: strategies, starts and weights crossed, over seeds, with the tool's own runs.

    python benchmarks/default_study.py [--seeds 5] [--workers 2]

Each cell is an ordinary run, `kedro run --env=study --params=run.name=<arm>-s<seed>,...`; a cell
that is finished is skipped, so this can be stopped and started again. Ends with the table.
"""

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
from scipy.stats import ttest_rel

from pt4al.reporting import figures

ARMS = {
    "random": "query.start=random,query.measure=random,query.scope=pool",
    "random-even": "query.start=even_intervals,query.measure=random,query.scope=pool",
    "margin": "query.start=random,query.measure=margin,query.scope=pool",
    "margin-even": "query.start=even_intervals,query.measure=margin,query.scope=pool",
    "confidence-even": "query.start=even_intervals,query.measure=least_confidence,query.scope=pool",
    "entropy-even": "query.start=even_intervals,query.measure=entropy,query.scope=pool",
    "pt4al-trunk": "query.start=even_intervals,query.measure=least_confidence,query.scope=batch",
    "pt4al-margin-trunk": "query.start=even_intervals,query.measure=margin,query.scope=batch",
    "paper": "query.start=even_intervals,query.measure=least_confidence,query.scope=batch,main.start_from=fresh",
    "fresh-random": "query.start=random,query.measure=random,query.scope=pool,main.start_from=fresh",
    "fresh-margin": "query.start=random,query.measure=margin,query.scope=pool,main.start_from=fresh",
    "released": "query.start=even_intervals,query.measure=least_confidence,query.scope=batch,main.start_from="
    "previous_cycle,ranking.order=released,query.normalise_logits=true",
}
SHOWN = {
    "margin": "default: margin, from the pretext trunk",
    "random": "random, from the pretext trunk",
    "fresh-random": "random, from fresh weights",
    "paper": "PT4AL as published",
}
REPORTING = Path("data/08_reporting")


def curve(name: str) -> pd.DataFrame | None:
    found = sorted((REPORTING / name / "learning_curve.csv").glob("*/learning_curve.csv"))
    return pd.read_csv(found[-1]) if found else None


def kedro(pipeline: str, parameters: str) -> None:
    command = [sys.executable, "-m", "kedro", "run", f"--pipelines={pipeline}", "--env=study", f"--params={parameters}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(parameters, "ok" if done.returncode == 0 else done.stderr[-2000:], flush=True)


def cell(arm: str, seed: int) -> None:
    name = f"{arm}-s{seed}"
    if curve(name) is None:
        kedro("active_learning", f"run.name={name},run.seed={seed},{ARMS[arm]}")


def table(arms: list[str], seeds: int) -> pd.DataFrame:
    rows = []
    curves = {arm: [curve(f"{arm}-s{seed}") for seed in range(seeds)] for arm in arms}
    means = {arm: [found["accuracy"].mean() for found in all_] for arm, all_ in curves.items()}
    for arm, found in curves.items():
        by_labels = pd.concat(found).groupby("labels")["accuracy"].mean() * 100
        row = {"arm": arm} | {f"{labels}": f"{value:.1f}" for labels, value in by_labels.items()}
        row["mean"] = f"{100 * sum(means[arm]) / seeds:.2f}"
        for other in ("random", "margin"):
            gain = 100 * (sum(means[arm]) - sum(means[other])) / seeds
            p = ttest_rel(means[arm], means[other]).pvalue if arm != other else float("nan")
            row[f"less {other}"] = f"{gain:+.2f} (p {p:.3f})"
        rows.append(row)
    return pd.DataFrame(rows)


def picture(arms: dict[str, str], seeds: int) -> bytes:
    """Draw the mean curve over the seeds of some arms, under other names."""
    means = {
        shown: pd.concat(curve(f"{arm}-s{seed}") for seed in range(seeds))
        .groupby("labels", as_index=False)["accuracy"]
        .mean()
        for arm, shown in arms.items()
    }
    return figures.png(figures.learning_curve(means))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    options = arguments.parse_args()
    seeds = range(options.seeds)
    kedro("pool", "run.name=study-pool")  # once, and each pretext network once: the cells share them
    with ThreadPoolExecutor(options.workers) as workers:
        list(workers.map(lambda seed: kedro("pretext", f"run.name=study-pretext-s{seed},run.seed={seed}"), seeds))
        list(workers.map(lambda job: cell(*job), [(arm, seed) for seed in seeds for arm in options.arms]))
    print(table(options.arms, options.seeds).to_markdown(index=False))
    shown = {name: SHOWN[name] for name in SHOWN if name in options.arms}
    Path("docs/learning_curve.png").write_bytes(picture(shown, options.seeds))


if __name__ == "__main__":
    main()
