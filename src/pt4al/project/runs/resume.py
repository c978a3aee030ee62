"""How a run is started: it goes on where it stopped, and a person's mistake is one message, no traceback."""

import gc
import logging
import os
import sys
from contextlib import chdir
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import click
from kedro.framework.project import settings
from kedro.framework.session import KedroSession
from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import SequentialRunner
from kedro.utils import find_kedro_project

from pt4al.errors import InputError
from pt4al.pipelines.long_pipeline import Graph
from pt4al.pipelines.remembered import one_command
from pt4al.project.configuration.instructions import start_again
from pt4al.project.runs.beginning import announce, check_environment
from pt4al.project.runs.context import Context
from pt4al.project.runs.error_messages import Spoken, sentence, sentences


class ResumingRunner(SequentialRunner):
    """Runs the nodes whose outputs are missing, and those that are tagged so.

    `always`: at each command. `grows`: where an output is older than an input, since the source has
    new pictures.
    An output that exists is whole, and was made with these settings (`RunFolder.claim`).
    Outputs without versions are DVC's, which decides itself what to run.
    """

    def run(
        self, pipeline: Pipeline, catalog: CatalogProtocol, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """See SequentialRunner.run. `tags` are those of all nodes that were asked for."""
        self.tags = frozenset(tag for node in pipeline.nodes for tag in node.tags)
        unfinished = Graph(unfinished_nodes(pipeline, catalog))
        _check_inputs(unfinished, catalog)
        return super().run(unfinished, catalog, *args, **kwargs)

    def _suggest_resume_scenario(self, *args: Any) -> None:
        """Suggest nothing: the same command resumes."""


class _Unsaid(logging.Filter):
    """Leaves out what Kedro says of a person's mistake in a node: the command ends with the message itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        return sentence(sys.exc_info()[1]) is None


logging.getLogger("kedro.pipeline.node").addFilter(_Unsaid())


class Session(KedroSession):
    """Kedro's session with a runner that resumes; what goes wrong is one sentence."""

    @classmethod
    def create(cls, *args: Any, **kwargs: Any) -> "Session":
        """See KedroSession.create."""
        with sentences():
            typed = click.get_current_context(silent=True)
            # None in a notebook. A comparison's cell has been begun by the comparison.
            if typed is None or parent_process() is not None:
                return super().create(*args, **kwargs)
            _begin(typed, *args, **kwargs)
            session = super().create(*args, **kwargs)
            # What is imported by now stays: garbage is looked for in the rest alone, which saves a
            # tenth of a tiny run.
            gc.freeze()
            return session

    def run(self, *args: Any, runner: Any = None, **kwargs: Any) -> dict[str, Any]:
        """See KedroSession.run. A run that people label ends with exit status 75 while it waits."""
        # Relative paths in settings start at the project's root.
        with sentences(self._project_path), chdir(self._project_path), one_command():
            _check_runner(runner)
            resuming = ResumingRunner()
            outputs = super().run(*args, runner=resuming, **kwargs)
            if self._context.resolved.graph.people and "cycles" in resuming.tags:
                self._end_if_waiting()
        return outputs

    def load_context(self) -> Context:
        """See KedroSession.load_context."""
        self._context = super().load_context()
        return self._context

    def _end_if_waiting(self) -> None:
        from pt4al.project.runs import standing
        from pt4al.project.runs.labelling_command import request

        parameters = self._context.settings
        root = self._project_path / self._context.resolved.places["root"]
        reached = standing.stand(parameters, root)
        if reached.progress is not None:
            raise standing.Waiting(request(parameters, reached.cycle, reached.progress))


def _begin(
    typed: click.Context,
    project_path: Path | str | None = None,
    save_on_close: bool = True,
    env: str | None = None,
    runtime_params: dict[str, Any] | None = None,
    conf_source: str | None = None,
) -> None:
    """Look at the settings and say what starts, before hooks import torch.

    Later it would be too late to choose torch's instructions.
    """
    project = Path(project_path or find_kedro_project(Path.cwd()) or Path.cwd())
    conf = Path(conf_source or project / settings.CONF_SOURCE)
    env = env or os.environ.get("KEDRO_ENV")
    check_environment(conf, env)
    loader = settings.CONFIG_LOADER_CLASS(
        str(conf), env=env, runtime_params=runtime_params, **settings.CONFIG_LOADER_ARGS
    )
    parameters = loader["parameters"]
    engine = parameters.get("engine")
    if isinstance(engine, dict):  # else the parameters' own check says what is wrong
        start_again(engine.get("instructions"))
    if typed.command.name == "run" and isinstance(typed.command, Spoken):  # not that of Kedro-Viz
        announce(typed, parameters)


def _check_runner(runner: Any) -> None:
    if runner is not None and type(runner) not in (SequentialRunner, ResumingRunner):
        raise InputError(
            f"--runner={type(runner).__name__} can't go on where a run stopped, and would compute"
            " everything again: leave --runner away; what can be done side by side is, within"
            " nodes and by a comparison's workers"
        )


def unfinished_nodes(pipeline: Pipeline, catalog: CatalogProtocol) -> list[Node]:
    """Return the nodes that are left to run, in the order of the graph."""
    unfinished: list[Node] = []
    remade: set[str] = set()
    for node in pipeline.nodes:  # in the order of the graph
        behind = "grows" in node.tags and (remade & set(node.inputs) or _is_behind(node, catalog))
        if behind or not _is_finished(node, catalog):
            unfinished.append(node)
            remade |= set(node.outputs)
    return unfinished


def _check_inputs(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Say before anything runs what parts of a run lack that were asked for alone (--nodes, --pipelines=report)."""
    from pt4al.project.datasets.tables import (
        KnownTableDataset,  # imports torch, which commands that only read files do without
    )

    if any(
        "comparison" in node.tags for node in pipeline.nodes
    ):  # whose cells make what it reads while it runs
        return
    needed = [
        name for name in pipeline.inputs() if not isinstance(catalog.get(name), KnownTableDataset)
    ]
    missing = sorted(name for name in needed if not catalog.exists(name))
    if missing:
        raise InputError(_lack(missing, pipeline, catalog))


def _lack(missing: list[str], pipeline: Pipeline, catalog: CatalogProtocol) -> str:
    """Say in a sentence what a command lacks, and what to type instead."""
    commands = catalog.load("next_commands")
    gathered = [name for name in missing if isinstance(catalog.get(name), MemoryDataset)]
    if gathered:
        nodes = " and ".join(sorted(node.name for node in pipeline.nodes))
        return (
            f"{nodes} can't run alone, since {gathered[0]} is kept on no disk: "
            f"type `{commands['report']}`, which makes the whole report"
        )
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    first = f"Type `{commands['run']}` first, which makes all of it"
    tags = {tag for node in pipeline.nodes for tag in node.tags}
    if tags <= {"report", "always", "page", "grows"}:
        run = catalog.load("parameters")["run"]["name"]
        if catalog.exists("cycle_0.metrics"):
            return f"run {run!r} is not finished: {missing[0]}{more} are still missing. {first}"
        return f"run {run!r} has nothing to report yet: no cycle is finished. {first}"
    return f"{missing[0]}{more}: not there yet. {first}"


def _is_finished(node: Node, catalog: CatalogProtocol) -> bool:
    return "always" not in node.tags and all(
        getattr(catalog.get(name), "_version", None) is not None and catalog.exists(name)
        for name in node.outputs
    )


def _is_behind(node: Node, catalog: CatalogProtocol) -> bool:
    """Whether an output is older than an input: another run, or one that was killed, has made the pool grow."""
    made, read = (
        [_version(name, catalog) for name in names] for names in (node.outputs, node.inputs)
    )
    return min(made) < max(read)


def _version(name: str, catalog: CatalogProtocol) -> str:
    """The newest version, a time; empty where there is none."""
    dataset = catalog.get(name)
    versioned = getattr(dataset, "_version", None) is not None and dataset.exists()
    return dataset.resolve_load_version() if versioned else ""
