"""Runs with labels, written file by file: no pipeline is run for them."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from pt4al.annotation.log import Answer, AnswerLog
from pt4al.labels.label_set import COLUMNS

VERSION = "2026-01-01T00.00.00.000Z"
SETTINGS = {
    "main.task": "classification",
    "query.start": "random",
    "query.scope": "pool",
    "query.strategy": "top",
    "query.measure": "margin",
    "query.balance": False,
    "cycles.number": 2,
    "pool.source.kind": "auto",
    "pool.source.path": "raw",
    "pool.limit.train": None,
    "pool.limit.test": None,
}
IDS = [f"{number}.png" for number in range(10)]
# Of a run: id, label, cycle, why.
Rows = list[tuple[str, str, int, str]]


def save(path: Path, table: pd.DataFrame) -> None:
    """Write a table as the catalog would."""
    (path / VERSION).mkdir(parents=True)
    table.to_parquet(path / VERSION / path.name)


def make_run(root: Path, name: str, rows: Rows, **settings: Any) -> Path:
    """Write a recorded run whose label set these rows are, and the queries that asked for them."""
    record = root / "05_model_input" / name
    record.mkdir(parents=True)
    (record / "configuration.json").write_text(json.dumps({"run.name": name, **SETTINGS, **settings}))
    labels = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    save(root / "04_feature" / name / "ranking.parquet", pd.DataFrame({"id": IDS, "rank": range(len(IDS))}))
    save(record / "start/label_set.parquet", labels[labels["cycle"] < 0])
    for cycle in range(int(labels["cycle"].max()) + 1 if len(labels) else 0):
        asked = labels[labels["cycle"] == cycle]
        roles = ["control" if why == "control" else "query" for why in asked["why"]]
        save(record / f"cycle_{cycle}/query.parquet", asked[["id"]].assign(role=roles))
        save(record / f"cycle_{cycle}/label_set.parquet", labels[labels["cycle"] <= cycle])
    return record


def make_peoples_run(root: Path, name: str, rows: Rows, day: int = 1, who: str = "ada", **settings: Any) -> Path:
    """The same of a run that people label: one person, on one day."""
    record = make_run(root, name, rows, **settings)
    oracle = {"annotators": 1, "disagreement": "latest", "skipped": "replace", "classes": ["cat", "dog"]}
    (record / "policies.json").write_text(json.dumps({"command": "kedro run", "oracle": oracle}))
    say(record, {image: label for image, label, cycle, _ in rows if cycle >= 0}, day, who)
    asked = [(image, cycle, "control" if why == "control" else "query") for image, _, cycle, why in rows if cycle >= 0]
    table = pd.DataFrame(asked, columns=["id", "cycle", "role"]).assign(state="labelled")
    for cycle in sorted({cycle for _, cycle, _ in asked}):
        save(record / f"cycle_{cycle}/asked.parquet", table[table["cycle"] <= cycle])
    return record


def say(record: Path, labels: dict[str, str | None], day: int = 1, who: str = "ada") -> None:
    """Answer images of a run; None skips."""
    AnswerLog(record / "answers").add(
        Answer(id=image, label=label, annotator=who, source="page", at=f"2026-01-{day:02d}T00:00:00.000+00:00")
        for image, label in labels.items()
    )
