"""`kedro history`: how a run came to be, as commands."""

from pathlib import Path
from typing import Any

import click
from kedro.framework.startup import ProjectMetadata

from pt4al.project.cli.runs import named
from pt4al.project.configuration.loading import loader, root
from pt4al.project.runs.error_messages import Spoken
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.run_labels import find_labels


@click.command(cls=Spoken)
@named
@click.pass_obj
def history(metadata: ProjectMetadata, name: str | None) -> None:
    """Print what changed in a run, and how to make it again.

    The commands have all settings that differ from conf/base, and need no environment.
    """
    from pt4al.project.runs.replay import commands  # imports torch

    folder = find_labels(root(Path(metadata.project_path)), name).folder
    chapters = folder.history()
    changes = chapters.sentences()
    for line in changes or [f"Run {folder.name} has had the same settings from its start on."]:
        click.echo(line)
    click.echo("It is made again by:")
    defaults = loader(Path(metadata.project_path))["parameters"]
    for command in commands(chapters, defaults, _oracle(folder)):
        click.echo(command)


def _oracle(folder: RunFolder) -> dict[str, Any]:
    """Return block `oracle` of a run that people label, with the classes that they have added."""
    if not folder.policies_file.exists():
        return {}
    oracle = folder.policies()["oracle"]
    classes = oracle["classes"] or folder.read("classes.json")
    return oracle | {"classes": list(dict.fromkeys([*classes, *folder.added_classes()]))}
