"""Write docs/studies/benchmarks.md: one section a benchmark, each replaced on its own."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

PAGE = Path(__file__).parents[1] / "docs" / "studies" / "benchmarks.md"
HEAD = """\
# Benchmarks

Written by `make bench`, and `large_pool`, which takes 40 GB of disk, by `python benchmarks/large_pool.py`; nothing
here was typed by hand. In each table the ratios come first. The compared variants ran in one process and took turns
(A B A B ...) where nothing else is said; a ratio is the median of the rounds' ratios, with the smallest and the
largest in brackets. Each section says where and when it was measured: ratios travel from machine to machine better
than seconds do.
"""

# Of the sections.
ORDER = [
    "training",
    "waiting",
    "scoring",
    "features",
    "ranking",
    "strategies",
    "herding",
    "decoding",
    "memory",
    "large_pool",
    "overhead",
    "cells",
]


class Skipped(Exception):
    """Says why something can't be measured here; its section stays as it is."""


@dataclass(frozen=True)
class Section:
    """What one benchmark found."""

    name: str
    table: pd.DataFrame  # of texts
    text: str

    def markdown(self, where: str) -> str:
        """Return the section: its heading, where it was measured, its table, what the table means."""
        return f"## {self.name}\n\n{where}\n\n{_table(self.table)}\n\n{self.text.strip()}\n"


def update(path: Path, sections: dict[str, str]) -> None:
    """Replace these sections of the page, given as Markdown by name, and keep the others."""
    kept = _sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    every = kept | sections
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEAD, *(every[name] for name in ORDER if name in every)]), encoding="utf-8")


def _sections(page: str) -> dict[str, str]:
    parts = re.split(r"(?m)^(?=## )", page)[1:]
    return {part.splitlines()[0].removeprefix("## "): part.rstrip() + "\n" for part in parts}


def _table(frame: pd.DataFrame) -> str:
    lines = [frame.columns, ["---"] * frame.shape[1], *frame.to_numpy()]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
