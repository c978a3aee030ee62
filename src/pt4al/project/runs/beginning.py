"""The first second of a command: is there such an environment, and what is about to happen."""

import logging
import re
from pathlib import Path
from typing import Any

import click

from pt4al.errors import InputError, did_you_mean

logger = logging.getLogger(__name__)

PATTERN = re.compile(r"[\[\]{}]")
BASE = "base"  # the folder of conf/ over which each environment lies


def environments(conf: Path) -> list[str]:
    """Return the names of the environments that a folder of settings has."""
    return sorted(folder.name for folder in conf.glob("*/") if folder.name != BASE)


def check_environment(conf: Path, env: str | None) -> None:
    """Raise InputError if there is no such environment; names those that there are."""
    # An archive, which Kedro takes as a source of settings too, is Kedro's to look into.
    if env is None or not conf.is_dir() or (conf / env).is_dir():
        return
    known = environments(conf)
    listed = ", ".join(known)
    hint = did_you_mean(env, known)
    if listed not in hint:
        hint = f"{hint} The environments are {listed}"
    raise InputError(f"there is no environment {env!r} in {conf}: {hint}")


def check_place(project: Path) -> None:
    """Raise InputError if Kedro would take a part of the project's path for a pattern."""
    if PATTERN.search(str(project)):
        raise InputError(
            f"{project}: a bracket in the project's path is a pattern for Kedro, which finds none "
            "of the project's files then: rename the folder, or move the project"
        )


def announce(command: click.Context, parameters: dict[str, Any]) -> None:
    """Say what starts, before what it needs is imported, which takes seconds.

    Parameters
    ----------
    command
        A `kedro run` that was typed.
    parameters
        As they were typed: nothing is checked yet.
    """
    pipelines = command.params["pipelines"] or [command.params["pipeline"] or "active_learning"]
    subject = "comparison" if "comparison" in pipelines else "run"
    block = parameters.get(subject)
    name = block.get("name") if isinstance(block, dict) else None
    logger.info("starting %s %s (%s) ...", subject, name, ", ".join(pipelines))
