"""Find the run that a command is about, without a Kedro session where none is needed."""

import os
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

# Servers to label on: product, and its address on this machine.
SERVERS = {
    "label_studio": ("Label Studio", "http://127.0.0.1:8080"),
    "cvat": ("CVAT", "http://localhost:8080"),  # it answers to this name alone, unless set up so
}

named = click.option(
    "--run", "name", help="The run's name; by default the one whose command was typed last."
)


def secrets(project: Path) -> dict[str, Any]:
    """Return what conf/local/credentials.yml says; nothing where there is none."""
    try:
        credentials = loader(project)["credentials"]
    except MissingConfigException:
        return {}
    for section in SERVERS:
        if not isinstance(credentials.get(section) or {}, dict):
            raise InputError(
                f"conf/local/credentials.yml: write {section}: {{url: ..., token: ...}}"
            )
    return credentials


def account(metadata: ProjectMetadata, section: str, url: str | None) -> dict[str, str]:
    """Return `url` and `token` of a labelling server, and what else credentials say of it.

    Parameters
    ----------
    section
        A key of `SERVERS`: its name in conf/local/credentials.yml, and in the environment.
    url
        The address that was typed, which comes first.

    Raises
    ------
    InputError
        If there is no token.
    """
    settings = secrets(Path(metadata.project_path)).get(section) or {}
    product, here = SERVERS[section]
    variable = section.upper()
    token = os.environ.get(f"{variable}_TOKEN") or settings.get("token")
    if not token:
        raise InputError(
            f"no token for {product}: set {variable}_TOKEN, or write conf/local/credentials.yml, "
            f"{section}: {{token: ...}}; it is on the page of your account there"
        )
    address = url or os.environ.get(f"{variable}_URL") or settings.get("url")
    return settings | {"url": address or here, "token": token}


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
