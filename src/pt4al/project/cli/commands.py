"""The group of the project's commands, each imported when it is typed or described."""

import click
from kedro.framework.cli.utils import LazyGroup

from pt4al.project.runs.error_messages import SpokenGroup

COMMANDS = {
    "run": "run.run",
    "label": "label.label",
    "answers": "answers.answers",
    "label-studio": "label_studio.label_studio",
    "cvat": "cvat.cvat",
    "history": "history.history",
    "ui": "ui.ui",
    "verdict": "published.verdict",
    "publish": "published.publish",
}


class Commands(LazyGroup, SpokenGroup):
    """Commands that are `Spoken`."""


@click.group(
    name="pt4al",
    cls=Commands,
    lazy_subcommands={name: f"pt4al.project.cli.{place}" for name, place in COMMANDS.items()},
)
def cli() -> None:
    """This project is pt4al, active learning that people label; to begin: kedro label
    --help, or kedro run --help."""
