"""Protect a run's files: one name, one configuration, one process at a time; nothing is overwritten."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pt4al.errors import InputError
from pt4al.files import records
from pt4al.project.configuration.parameters import Parameters, identity
from pt4al.project.configuration.paths import plain

PLACES = {"pool.source.path", "pretext.weights", "main.weights", "oracle.known_labels"}
LAYERS = ("08_reporting", "07_model_output", "06_models", "04_feature", "05_model_input")


def record_folder(root: Path, run: str) -> Path:
    """Where a run's configuration and label sets are."""
    return root / "05_model_input" / run


def configuration_file(root: Path, run: str) -> Path:
    """Where a run's settings are written down."""
    return record_folder(root, run) / "configuration.json"


def configuration(root: Path, run: str) -> dict[str, Any]:
    """Return the settings that a run was started with, by dotted name."""
    path = configuration_file(root, run)
    way_out = f"put a copy of it back, or remove it: the next command of run {run!r} writes down its own settings"
    return records.read(path, dict, way_out)


def lock(root: Path, run: str) -> FileLock:
    """Return the acquired lock of a run; it is freed when this process ends, however it does.

    Raises
    ------
    InputError
        If another process has it.
    """
    record_folder(root, run).parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(record_folder(root, run).with_name(f".{run}.lock"))
    try:
        held.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"run {run!r} is being run by another process: wait, or use another `run.name`"
        ) from None
    return held


def set_aside(root: Path, run: str) -> str:
    """Rename the folders of a run, for a fresh start under its name; return the new name."""
    aside = f"{run}.{datetime.now(UTC):%Y%m%dT%H%M%S}"
    for layer in LAYERS:  # the configuration last: without it the rest would belong to nobody
        if (root / layer / run).exists():
            (root / layer / run).rename(root / layer / aside)
    return aside


def claim(root: Path, parameters: Parameters) -> None:
    """Write down a new run's configuration, or check that it is still the same.

    Raises
    ------
    InputError
        If the run was started with other settings: names them, and the two ways out.
    """
    now = identity(parameters)
    path = configuration_file(root, parameters.run.name)
    if not path.exists():
        records.write(path, now)
        return
    then = configuration(root, parameters.run.name)
    then |= {
        name: plain(then[name]) for name in PLACES & then.keys() if then[name]
    }  # as they were once written
    changed = [
        f"  `{name}`: {then.get(name)!r} then, {now.get(name)!r} now"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]
    if changed:
        raise InputError(
            "\n".join(
                [
                    f"run {parameters.run.name!r} was started with other settings ({path}):",
                    *changed,
                    "Give this run another name (run.name=...), or start afresh (run.fresh=true keeps the old files).",
                ]
            )
        )
