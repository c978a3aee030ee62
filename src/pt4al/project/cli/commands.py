"""The group of the project's commands, and `kedro run`, whose errors are sentences here."""

import logging

import click
from kedro.framework.cli import project

from pt4al.project.cli.answers import answers
from pt4al.project.cli.history import history
from pt4al.project.cli.label import label
from pt4al.project.cli.label_studio import label_studio
from pt4al.project.cli.published import publish, verdict
from pt4al.project.runs.error_messages import Spoken, SpokenGroup


@click.group(name="pt4al", cls=SpokenGroup)
def cli() -> None:
    """Active learning that people label."""


def _say_more(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Log what is left out otherwise: each node, however short."""
    if wanted:
        logging.getLogger("pt4al").setLevel(logging.DEBUG)
        for handler in logging.getLogger().handlers:
            handler.setLevel(logging.DEBUG)


verbose = click.Option(
    ["-v", "--verbose"],
    is_flag=True,
    expose_value=False,
    callback=_say_more,
    help="Say of each node how long it took.",
)
run = Spoken(
    "run",
    callback=project.run.callback,
    params=[*project.run.params, verbose],
    help=project.run.help,
)

for command in (run, label, answers, label_studio, history, verdict, publish):
    cli.add_command(command)
