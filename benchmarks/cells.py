"""Benchmark `cells`: the seconds of a comparison's cell whose arithmetic is cheap, beside the same run typed alone."""

import re
import shlex
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from document import Section
from project import Project
from pt4al.training.precision import Hardware

TEXT = """
A comparison of {cells} cells on 2 seeds; each cell is a run of `--env=tiny` (300 images, {cycles} cycles of 10 labels)
whose main model is a linear probe, so that what is measured is everything around the arithmetic. *A cell*: the seconds
between the ends of cells, times the number of workers, from when each worker has ended its first one; the better of
{rounds} rounds. *Of it processor*: what the processor worked on one, the median, which hardly depends on what else
the machine does; the rest is waiting, for the disk and for others. *Typed alone*: the command of such a cell, with its
page and a process of its own, as long as it took to its prompt; pool and pretext network were there. Goal: at most 3 s
a cell.
"""
ARMS = ["random", "least_confidence", "margin", "entropy", "badge", "typical_margin"]
SETTINGS = "main.frozen=all,main.start_from=pretext,cycles.budget=10,comparison.repeated=null,comparison.seeds=0/1"


def measure(hardware: Hardware, quick: bool) -> Section:
    """Run comparisons in a copy of the project, and a cell of one alone."""
    arms, cycles, rounds = (ARMS[:3], 2, 1) if quick else (ARMS, 10, 2)
    typed = f"{SETTINGS},cycles.number={cycles},engine.precision={hardware.precision}"
    typed += f",comparison.compared={'/'.join(arms)},comparison.rule.claim={arms[-1]}"
    found = []
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder, "project"))
        for number in range(rounds):
            for workers in (1, 2):
                name = f"w{workers}-{number}"
                params = f"{typed},comparison.name={name},comparison.workers={workers}"
                project.time("kedro", "run", "--pipelines=comparison", "--env=tiny", f"--params={params}")
                found.append({"workers": workers, "cell": _seconds(project, name, workers)})
        worked = _processor(project)
        alone = min(_alone(project, number) for number in range(rounds))
    best = pd.DataFrame(found).groupby("workers")["cell"].min()
    text = TEXT.format(cells=2 * len(arms), cycles=cycles, rounds=rounds)
    return Section("cells", _table(best, worked, alone), text)


def _seconds(project: Project, name: str, workers: int) -> float:
    """Return the seconds of a worker for a cell, its starting left out."""
    curves = (project.folder / "data/08_reporting").glob(f"{name}-*/learning_curve.csv")
    ends = sorted(path.stat().st_mtime for path in curves)
    return workers * (ends[-1] - ends[workers - 1]) / (len(ends) - workers)


def _processor(project: Project) -> float:
    """Return the median seconds of the processor for a cell, by what the workers say."""
    logs = (project.folder / "data/08_reporting").glob("w*/logs/*.log")
    said = [text for path in logs for text in path.read_text().split("\n# ") if ", cell: " in text.partition("\n")[0]]
    found = [re.search(r"the processor worked ([0-9.]+) s", text) for text in said]
    return float(np.median([float(match[1]) for match in found]))


def _alone(project: Project, number: int) -> float:
    """Return the seconds of a cell's own command, under another name."""
    plan = pd.read_csv(project.folder / "data/08_reporting/w1-0/plan.csv")
    cell = plan.loc[plan["arm"] == "margin"].iloc[0]
    command = cell["command"].replace(f"run.name={cell['run']}", f"run.name=alone-{number}")
    return project.time(*shlex.split(command))[0]


def _table(best: pd.Series, worked: float, alone: float) -> pd.DataFrame:
    rows = [("typed alone", "1.0", f"{alone:.1f} s", "", "")]
    for workers, cell in best.items():
        rate = f"{60 * workers / cell:.0f}"
        rows.append(
            (f"`comparison.workers: {workers}`", f"{alone / cell:.1f}", f"{cell:.1f} s", f"{worked:.1f} s", rate)
        )
    return pd.DataFrame(rows, columns=["way", "alone / a cell", "a cell", "of it processor", "cells a minute"])
