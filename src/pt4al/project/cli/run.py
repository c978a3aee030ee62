"""`kedro run`: Kedro's command, whose errors are sentences and whose help names what there is."""

import logging
import re
from copy import copy
from pathlib import Path
from typing import Any

import click
from click.formatting import wrap_text
from kedro.framework.cli import project
from kedro.utils import find_kedro_project

from pt4al.errors import InputError, did_you_mean
from pt4al.project.runs.beginning import check_place, environments
from pt4al.project.runs.error_messages import Spoken

# Beside these there are `__default__`, which is active_learning, and `cell`, a comparison's own.
PIPELINES = {
    "active_learning": "a run: all stages, from the pool to the report (default)",
    "pool": "stage 1: decode the pictures",
    "features": "stage 2: features of a network that others have trained",
    "pretext": "stage 3: train the pretext task, and take its losses",
    "ranking": "stage 4: rank the pool by them",
    "cycles": "stage 5: ask, label, train, again and again",
    "report": "stage 6: the run's page",
    "comparison": "runs of several strategies and seeds, and a verdict",
    "cold_start": "compare ways to choose the first query",
    "predict": "label other pictures with a run's model",
}
MISSING = "???"
CHANGED = re.compile(r"\s#|:\s|:$|^[&!*%@`|>]|^[?-]\s")  # by YAML: comments, anchors, tags
QUOTED = "'\"[{"  # a value that begins so is meant to be YAML
SETTINGS = (
    "All settings, with what they mean, are in conf/base/parameters.yml. An environment's own file"
    " says what differs there, and --params goes before both: a dotted name, several with commas"
    " between, a list as cat/dog."
)
EXAMPLES = (
    "kedro run --env=tiny",
    "kedro run --params=run.name=mine,pool.source.path=/my/photos,cycles.budget=100",
    "kedro run --env=people --params=run.name=pets,pool.source.path=/my/pets,oracle.classes=cat/dog",
)


class Run(Spoken):
    """`kedro run`: errors are sentences, and the help names pipelines, environments and settings."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See click.Command.format_epilog."""
        conf = (find_kedro_project(Path.cwd()) or Path.cwd()) / "conf"
        with formatter.section("Pipelines (--pipelines)"):
            formatter.write_dl(list(PIPELINES.items()))
        with formatter.section("Environments (--env), the folders of conf/"):
            _write(formatter, ", ".join(environments(conf)))
        with formatter.section("Settings (--params)"):
            _write(formatter, SETTINGS)
            formatter.write_paragraph()
            for example in EXAMPLES:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


def _write(formatter: click.HelpFormatter, text: str) -> None:
    indent = " " * formatter.current_indent
    formatter.write(f"{wrap_text(text, formatter.width, indent, indent)}\n")


def _say_more(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Log what is left out otherwise: each node, however short."""
    if wanted:
        logging.getLogger("pt4al").setLevel(logging.DEBUG)
        for handler in logging.getLogger().handlers:
            handler.setLevel(logging.DEBUG)


def _different(ctx: click.Context, parameter: click.Parameter, value: str) -> Any:
    """Return what --params says, by Kedro's own rules; each setting may be typed once."""
    items = (value or "").split(",")
    result = typed_params.callback(ctx, parameter, ",".join(map(_as_text, items)))
    names = [item.partition("=")[0].strip() for item in items]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"--params: `{twice}` stands there twice: type it once")
    if MISSING in (value or ""):
        # OmegaConf takes it for a value that is still to come, and would keep that of conf/.
        raise InputError(f"--params: {MISSING} is no value: type one, or leave the setting away")
    return result


def _as_text(item: str) -> str:
    """Quote a value of which YAML would drop a part, or make something else: `/photos #2`."""
    name, equals, value = item.partition("=")
    value = value.strip()
    if not CHANGED.search(value) or value[0] in QUOTED:
        return item
    doubled = value.replace("'", "''")
    return f"{name}{equals}'{doubled}'"


def _run(**options: Any) -> Any:
    check_place(find_kedro_project(Path.cwd()) or Path.cwd())
    known = [*PIPELINES, "cell", "__default__"]
    for name in [*options["pipelines"], *filter(None, [options["pipeline"]])]:
        if name not in known:
            raise InputError(f"there is no pipeline {name!r}: {did_you_mean(name, PIPELINES)}")
    return project.run.callback(**options)


typed_params = next(option for option in project.run.params if option.name == "params")
own_params = copy(typed_params)
own_params.callback = _different
verbose = click.Option(
    ["-v", "--verbose"],
    is_flag=True,
    expose_value=False,
    callback=_say_more,
    help="Say of each node how long it took.",
)
run = Run(
    "run",
    callback=_run,
    params=[
        *[own_params if option is typed_params else option for option in project.run.params],
        verbose,
    ],
    help="Run a pipeline; typed again, it goes on where it stopped.",
)
