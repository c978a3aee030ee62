"""The `kedro run` that `kedro label --images=...` stands for."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
from omegaconf import OmegaConf

from pt4al.errors import InputError, counted
from pt4al.project.configuration.loading import loader
from pt4al.project.configuration.next_commands import command_line
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.usual_budget import usual_budget

LONGEST_NAME = 60  # characters of a run's name that is made of a folder's
PEOPLE = "people"  # environment of the configuration
BUDGET = "cycles.budget"
MAJORITY = "majority"  # `oracle.disagreement` where several people are asked


def run_name(images: str) -> str:
    """Return a run's name, made of that of its folder of pictures."""
    folder = _absolute(images).name
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder).strip("-_")[:LONGEST_NAME]
    if not name:
        raise InputError(f"{images!r} gives the run no name: say one, --run=...")
    typed = OmegaConf.from_dotlist([f"name={name}"]).name  # a folder `2020` would be a number
    return name if isinstance(typed, str) else f"run-{name}"


def run_command(project: Path, folder: RunFolder, typed: dict[str, Any]) -> str:
    """Return the command of a folder of pictures.

    Parameters
    ----------
    folder
        The run's files, whether there are any yet or not.
    typed
        Options of `kedro label`, by name.

    Raises
    ------
    InputError
        If there are no such pictures, or an option can't be a setting on a command line.
    """
    images = _absolute(typed["images"])
    if not images.exists():
        raise InputError(f"{images}: no such file or folder (--images)")
    settings = {"run.name": folder.name, "pool.source.path": str(images), "oracle.kind": PEOPLE}
    own = {
        "oracle.classes": typed["classes"],
        BUDGET: typed["budget"],
        "cycles.number": typed["cycles"],
        "oracle.annotators": typed["annotators"],
    }
    settings |= {setting: value for setting, value in own.items() if value is not None}
    if (typed["annotators"] or 1) > 1 and not decides(typed["params"] or ""):
        settings["oracle.disagreement"] = MAJORITY
    for setting, value in settings.items():
        if "," in str(value):
            raise InputError(
                f"{value!r} has a comma, which settings on a command line can't have (`{setting}`)"
            )
    if BUDGET not in settings and BUDGET not in (typed["params"] or ""):
        settings |= _budget(project, folder, images, typed)
    command = command_line(typed["env"] or PEOPLE, settings)
    return f"{command},{shlex.quote(typed['params'])}" if typed["params"] else command


def decides(params: str) -> bool:
    """Return whether typed settings say which answer counts; that of relabelling is the newest."""
    return re.search(r"(^|,)\s*oracle\.(disagreement|relabel)\s*=", params) is not None


def _absolute(images: str) -> Path:
    try:
        return Path(images).expanduser().absolute()
    except RuntimeError as error:
        raise InputError(f"{images}: there is no such home folder ({error}; --images)") from None


def _budget(
    project: Path, folder: RunFolder, images: Path, typed: dict[str, Any]
) -> dict[str, int]:
    """Return the setting of a budget that is another one than the environment's."""
    cycles = loader(project, typed["env"] or PEOPLE)["parameters"]["cycles"]
    if not isinstance(cycles["budget"], int):
        return {}
    rounds = typed["cycles"] or cycles["number"]
    budget = usual_budget(folder, images, cycles["budget"], rounds)
    if budget == cycles["budget"]:
        return {}
    click.echo(
        f"{rounds} rounds of {counted(budget, 'label')}: --budget and --cycles say otherwise."
    )
    return {BUDGET: budget}
