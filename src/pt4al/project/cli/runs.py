"""Find the run that a command is about, without a Kedro session where none is needed."""

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.config import MissingConfigException
from kedro.framework.startup import ProjectMetadata

from pt4al.errors import InputError
from pt4al.project.configuration.loading import loader, root
from pt4al.project.runs.labelled_run import LabelledRun, find_run

if TYPE_CHECKING:
    from pt4al.project.runs.labelling_session import LabellingSession

named = click.option(
    "--run", "name", help="The run's name; by default the one whose command was typed last."
)


def secrets(project: Path) -> dict[str, Any]:
    """Return what conf/local/credentials.yml says; nothing where there is none."""
    try:
        credentials = loader(project)["credentials"]
    except MissingConfigException:
        return {}
    if not isinstance(credentials.get("label_studio") or {}, dict):
        raise InputError("conf/local/credentials.yml: write label_studio: {url: ..., token: ...}")
    return credentials


def labelled_run(metadata: ProjectMetadata, name: str | None, waiting: bool = True) -> LabelledRun:
    """Return a run that people label, by its files; see `find_run`."""
    return find_run(root(Path(metadata.project_path)), name, waiting)


@contextmanager
def session(metadata: ProjectMetadata, run: LabelledRun) -> Iterator["LabellingSession"]:
    """List a run's pictures, and open its pool where it is asked for.

    A pool imports torch, which takes seconds and a gigabyte: only commands for masks do.
    """
    from pt4al.project.runs.labelling_session import LabellingSession

    # Relative paths in settings mean the project's folder, wherever a command was typed.
    with chdir(metadata.project_path):
        yield LabellingSession(run, Path(metadata.project_path))
