"""Measure ranking, top and herding in parts of a million to a hundred million made-up images.

    python benchmarks/scale_ranking.py [--images 1000000 10000000 100000000] [--folder FOLDER] [--quick]

A hundred million take 13 GB of disk in FOLDER (a temporary one by default), deleted at the end; herding is measured
on a tenth of each number. Prints two tables, and what the largest would have taken by the formula of the smaller ones.
`--quick` tries it at sizes too small to quote.
"""

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import confined
import machine
from document import Section
from pt4al.training.precision import choose_precision
from scale_ranking_case import WORK

CASE = Path(__file__).with_name("scale_ranking_case.py")
SIZES = [1_000_000, 10_000_000, 100_000_000]
QUICK = [3_000, 6_000, 12_000]
LIMIT = 4_000_000_000  # bytes of memory
STEPS = {
    "rank": "ranking and splitting, in files",
    "rank_in_memory": "the same in memory",
    "top": "top 1,000",
    "herd": "herding in parts, 100",
}
IN_MEMORY = 10_000_000  # images of the largest pool that is ranked in memory
NAMES = {"busy": "seconds of the processor", "memory": "memory"}
HERDED = 10  # herding is measured on one of so many images
TEXT = """
One thread; each step is a process of its own{limited}. *Of the processor*: seconds without those of waiting for
neighbours. *Ranking*: the stage, from the table of losses (float32 with ties; ids of 22 characters) to that of the
ranking, written to disk, in files or in memory. *Top*: of scores in a mapped file. *Memory*: the peak of what is no
file's pages (`RssAnon`, sampled every 2 ms) above what the process held before; *process*: the most it ever had
resident, pages of files and libraries included (`VmHWM`). Rankings of up to ten million are compared with those made
in memory. From eight million rows on memory is that of a piece of so many, so that the formula, of the smaller pools,
is a bound. Herding: {dimensions} float16 features an image in a mapped file.
"""
COMPARED = """
Pools that can be covered exactly, beside the same where only {most:,} images may be compared with each other: a sample
of so many, or all in parts of a fourth. *Covered*: the objective that is reached, as a share of what the exact greedy
choice reaches; *in common*: share of the exact choice's images. Means of {repeats} seeds, with the lowest in brackets.
"""


def main() -> None:
    options = _options()
    sizes = sorted(options.images or (QUICK if options.quick else SIZES))
    where = machine.where(choose_precision("cpu"), " ".join([".venv/bin/python", *sys.argv]))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, confined.memory_group(LIMIT) as group:
        work = Steps(Path(folder, "pool"), None if options.quick else CASE, group)
        found = {size: work.measure(size) for size in sizes}
        compared = work.call("compare", 2_500 if options.quick else 20_000)
    limited = f", in a control group of {LIMIT / 1e9:g} GB that counts pages of files" if group else ""
    text = TEXT.format(limited=limited, dimensions=compared["dimensions"]) + "\n" + "\n".join(_formulas(found))
    print(Section("scale_ranking", pd.DataFrame(_rows(found)), text).markdown(where))
    text = COMPARED.format(most=compared["most"], repeats=compared["repeats"])
    print(Section("herding in parts beside exact", pd.DataFrame(compared["rows"]), text).markdown(where))


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--images", type=int, nargs="+", help="of each pool")
    arguments.add_argument("--folder", type=Path, help="where there is room")
    arguments.add_argument("--quick", action="store_true")
    return arguments.parse_args()


@dataclass(frozen=True)
class Steps:
    """How steps are run: by a script, in processes of their own, or in this process."""

    folder: Path
    script: Path | None
    group: Path | None

    def call(self, step: str, images: int) -> dict[str, Any]:
        if self.script is None:
            self.folder.mkdir(exist_ok=True)
            return WORK[step](self.folder, images)
        return confined.call(self.script, step, self.folder, images, group=self.group)

    def measure(self, images: int) -> dict[str, dict[str, float]]:
        """Write losses and features, measure each step on them, and delete them."""
        found = {}
        steps = [step for step in STEPS if step != "rank_in_memory" or images <= IN_MEMORY]
        self.call("make", images)
        for step in steps:
            count = images // HERDED if step == "herd" else images
            found[step] = self.call(step, count) | {"images": count}
            print(f"{images:,} {step}: {found[step]}", file=sys.stderr, flush=True)
        shutil.rmtree(self.folder)
        return found


def _rows(found: dict[int, dict[str, dict[str, float]]]) -> list[dict[str, str]]:
    rows = []
    for step, title in STEPS.items():
        for facts in (steps[step] for steps in found.values() if step in steps):
            row = {"step": title, "images": f"{facts['images']:,}", "seconds": f"{facts['seconds']:.2f}"}
            row["of the processor"] = f"{facts['busy']:.2f}"
            rate = facts["images"] / facts["busy"]
            row |= {"images a second of it": f"{rate:,.0f}", "memory, MB": f"{facts['memory'] / 1e6:.0f}"}
            rows.append(row | {"process, MB": f"{facts['process'] / 1e6:.0f}"})
    return rows


def _formulas(found: dict[int, dict[str, dict[str, float]]]) -> list[str]:
    """Say what is constant and what an image adds, by the smaller pools, and how wrong that is of the largest."""
    lines = []
    for step, title in STEPS.items():
        for fact, unit, scale in (("busy", "s", 1), ("memory", "MB", 1e6)):
            measured = [steps[step] for steps in found.values() if step in steps]
            if len(measured) < 3:
                continue
            *smaller, largest = [(facts["images"], facts[fact] / scale) for facts in measured]
            slope, start = np.polyfit(*zip(*smaller, strict=True), 1)
            images, truth = largest
            predicted = start + slope * images
            lines.append(
                f"- {title}, {NAMES[fact]}: {start:.3g} {unit} + {slope * 1e6:.3g} {unit} a million images; at "
                f"{images:,} {predicted:.4g} {unit}, measured {truth:.4g} ({predicted - truth:+.3g})"
            )
    return lines


if __name__ == "__main__":
    main()
