"""A simulated person: photos without labels, the truth about them, and answers by a log."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest

from pt4al.annotation.aggregation import Policy, aggregate
from pt4al.annotation.log import Answer, AnswerLog
from pt4al.annotation.progress import Progress, measure_progress
from pt4al.project.runs.standing import Waiting
from support.projects import ROOT, newest, run

CLASSES = ["shirt", "shoe", "bag"]
NAME = "photos"
SHORT = {"schedule": {"epochs": 1, "minimum_steps": 3}}


def log_of(folder: Path, **said: str) -> AnswerLog:
    """Each person's labels, a letter an image; `.` for none."""
    log = AnswerLog(folder)
    for who, labels in said.items():
        log.add(
            Answer(id=f"{number}", label=label, annotator=who, source="page")
            for number, label in enumerate(labels)
            if label != "."
        )
    return log


def write_photos(folder: Path, number: int = 90) -> pd.Series:
    """Write photos of the data that ships, as files without labels; return the truth, by id."""
    folder.mkdir(parents=True)
    table = pd.read_parquet(ROOT / "data/01_raw/fashion_mnist/train.parquet").head(number)
    truth = {}
    for row, (image, label) in enumerate(zip(table["image"], table["label"], strict=True)):
        name = f"{row:05d}.png"
        (folder / name).write_bytes(image["bytes"])
        truth[name] = CLASSES[int(label) % 3]
    return pd.Series(truth)


def go(project: Path, **blocks: dict[str, Any]) -> str:
    """Type the run's command; return the words with which it waits, or nothing if it has finished."""
    settings = {
        "run": {"name": NAME},
        "pool": {"source": {"path": "raw"}, "limit": {"train": None, "test": None}},
        "oracle": {"kind": "people", "classes": CLASSES},
        "cycles": {"number": 3, "budget": 10},
        "pretext": SHORT,
        "main": SHORT,
    }
    merged = {name: {**settings.get(name, {}), **blocks.get(name, {})} for name in {**settings, **blocks}}
    try:
        run(project, **merged)
    except click.ClickException as ended:
        if not isinstance(ended, Waiting):
            raise
        assert ended.exit_code == 75
        return ended.message
    return ""


def log(project: Path) -> AnswerLog:
    return AnswerLog(project / "data/05_model_input" / NAME / "answers")


def table(project: Path, cycle: int, name: str) -> pd.DataFrame:
    return pd.read_parquet(newest(project, "05_model_input", NAME, f"cycle_{cycle}", f"{name}.parquet"))


def progress(project: Path, cycle: int, policy: Policy = Policy()) -> Progress:  # noqa: B008
    return measure_progress(table(project, cycle, "query"), aggregate(log(project).read(), policy), policy)


def answer(
    project: Path, cycle: int, says: Callable[[str], str | None], most: int | None = None, annotator: str = "ada"
) -> list[str]:
    """Answer open images of a query, and those that take the places of the skipped; return their ids."""
    done: list[str] = []
    while True:
        left = [image for image in progress(project, cycle).open["id"] if image not in done]
        left = left[: None if most is None else most - len(done)]
        if not left:
            return done
        log(project).add(
            Answer(id=image, label=says(image), annotator=annotator, source="file", seconds=2.0) for image in left
        )
        done += left


needs_chromium = pytest.mark.skipif(
    not any(Path(place).exists() for place in ("/usr/bin/chromium", "/usr/bin/chromium-browser")),
    reason="needs Chromium",
)
