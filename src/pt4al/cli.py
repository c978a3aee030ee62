"""Where Kedro looks for a project's commands."""

from pt4al.project.cli.commands import cli
from pt4al.project.cli.run import run

__all__ = ["cli", "run"]
