"""Find the default: strategies, starts and weights crossed, over seeds, with the tool's own runs.

    python benchmarks/default_study.py [--seeds 5] [--workers 2] [--arms random margin] [--env study] [--params ...]

Each cell is an ordinary run, `kedro run --env=study --params=run.name=<arm>-s<seed>,...`; a cell
that is finished is skipped, so this can be stopped and started again. Ends with the table.
`--params` are every cell's, as typed to kedro; `--prefix` goes before every run's name.
"""

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from scipy.stats import ttest_rel

from pt4al.reporting import figures
from pt4al.reporting.style import png

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
    "margin": "margin, from the pretext trunk (the default)",
    "random": "random, from the pretext trunk",
    "fresh-random": "random, from fresh weights",
    "pt4al-trunk": "PT4AL's queries, from the pretext trunk",
    "paper": "PT4AL as published",
}
REPORTING = Path("data/08_reporting")


def curve(name: str) -> pd.DataFrame | None:
    found = sorted((REPORTING / name / "learning_curve.csv").glob("*/learning_curve.csv"))
    return pd.read_csv(found[-1]) if found else None


@dataclass(frozen=True)
class Study:
    """What all its cells have in common."""

    env: str
    params: str
    prefix: str
    metric: str

    def curves(self, arm: str, seeds: int) -> list[pd.DataFrame]:
        return [curve(f"{self.prefix}{arm}-s{seed}") for seed in range(seeds)]

    def kedro(self, pipeline: str, parameters: str) -> None:
        typed = ",".join(filter(None, [parameters, self.params]))
        command = [sys.executable, "-m", "kedro", "run", f"--pipelines={pipeline}", f"--env={self.env}"]
        done = subprocess.run([*command, f"--params={typed}"], capture_output=True, text=True, check=False)
        print(parameters, "ok" if done.returncode == 0 else done.stderr[-2000:], flush=True)

    def cell(self, arm: str, seed: int) -> None:
        name = f"{self.prefix}{arm}-s{seed}"
        if curve(name) is None:
            self.kedro("active_learning", f"run.name={name},run.seed={seed},{ARMS[arm]}")

    def table(self, arms: list[str], seeds: int) -> pd.DataFrame:
        curves = {arm: self.curves(arm, seeds) for arm in arms}
        means = {arm: [found[self.metric].mean() for found in all_] for arm, all_ in curves.items()}
        rows = []
        for arm, found in curves.items():
            by_labels = pd.concat(found).groupby("labels")[self.metric].mean() * 100
            row = {"arm": arm} | {f"{labels}": f"{value:.1f}" for labels, value in by_labels.items()}
            row["mean"] = f"{100 * sum(means[arm]) / seeds:.2f}"
            for other in (name for name in ("random", "margin") if name in arms):
                gain = 100 * (sum(means[arm]) - sum(means[other])) / seeds
                p = ttest_rel(means[arm], means[other]).pvalue if arm != other else float("nan")
                row[f"less {other}"] = f"{gain:+.2f} (p {p:.3f})"
            rows.append(row)
        return pd.DataFrame(rows)

    def picture(self, arms: dict[str, str], seeds: int) -> bytes:
        """Draw the mean curve over the seeds of some arms, under other names."""
        means = {
            shown: pd.concat(self.curves(arm, seeds)).groupby("labels", as_index=False)[self.metric].mean()
            for arm, shown in arms.items()
        }
        return png(figures.learning_curve(means, self.metric))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    arguments.add_argument("--env", default="study")
    arguments.add_argument("--params", default="")
    arguments.add_argument("--prefix", default="")
    arguments.add_argument("--metric", default="accuracy", choices=["accuracy", "miou"])
    arguments.add_argument("--picture", type=Path, default=Path("docs/learning_curve.png"))
    options = arguments.parse_args()
    study, seeds = Study(options.env, options.params, options.prefix, options.metric), range(options.seeds)
    study.kedro("pool", f"run.name={study.prefix}pool")  # once, and each pretext network once: the cells share them
    with ThreadPoolExecutor(options.workers) as workers:
        once = [("pretext", f"run.name={study.prefix}pretext-s{seed},run.seed={seed}") for seed in seeds]
        list(workers.map(lambda job: study.kedro(*job), once))
        list(workers.map(lambda job: study.cell(*job), [(arm, seed) for seed in seeds for arm in options.arms]))
    print(study.table(options.arms, options.seeds).to_markdown(index=False))
    shown = {name: SHOWN[name] for name in SHOWN if name in options.arms}
    options.picture.write_bytes(study.picture(shown, options.seeds))


if __name__ == "__main__":
    main()
