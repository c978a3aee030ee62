"""The table of benchmarks/gpu.py, line by line on the terminal, and the same as JSON."""

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pt4al.files.whole import replacing

WIDTHS = (6, 60, 20)  # characters; what it is compared with comes last, as long as it is
NOT_HERE = "not measured on a CPU"


@dataclass(frozen=True)
class Row:
    """One thing that was checked or measured.

    Attributes
    ----------
    value
        None if it was not measured; `beside` then says why.
    beside
        What to compare the value with.
    passed
        Of a check, or of what was to be measured and failed; None of what is only a number.
    """

    part: str
    what: str
    value: float | None
    unit: str = ""
    beside: str = ""
    passed: bool | None = None

    def line(self) -> str:
        shown = "-" if self.value is None else f"{self.value:,.4g} {self.unit}".strip()
        verdict = {True: "passed: ", False: "FAILED: ", None: ""}[self.passed]
        cells = [cell.ljust(width) for cell, width in zip((self.part, self.what, shown), WIDTHS, strict=True)]
        return "  ".join([*cells, verdict + self.beside])


class Report:
    """Shows each row when it is there, and keeps the file up to date: a run that is cut short leaves what it found."""

    def __init__(self, folder: Path, facts: dict[str, str]):
        self.path, self.facts, self.rows = folder / "gpu.json", facts, []
        for name, fact in facts.items():
            print(f"{name}: {fact}")

    def add(self, row: Row) -> None:
        self.rows.append(row)
        print(row.line(), flush=True)
        everything = {**self.facts, "rows": [asdict(row) for row in self.rows]}
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")

    def collect(self, part: str, measure: Callable[..., Iterator[Row]], *arguments: object) -> None:
        """Add what `measure` yields; if it fails, that is a row too, and the rest goes on."""
        try:
            for row in measure(*arguments):
                self.add(row)
        except Exception as error:  # a GPU, a driver and torch fail in many ways; none may hide the rest
            traceback.print_exc(file=sys.stderr)
            self.add(Row(part, measure.__name__, None, beside=f"{type(error).__name__}: {error}"[:200], passed=False))

    @property
    def failed(self) -> bool:
        return any(row.passed is False for row in self.rows)
