"""Where Kedro looks for a project's commands."""

from pt4al.project.cli.commands import cli, run

__all__ = ["cli", "run"]
