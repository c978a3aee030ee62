"""How a run is started: it goes on where it stopped, and a person's mistake is one message, no traceback."""

from contextlib import chdir
from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.session import KedroSession
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import SequentialRunner
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from pt4al.errors import InputError
from pt4al.pipelines.graph import Graph


class ResumingRunner(SequentialRunner):
    """Runs the nodes whose outputs are missing, those tagged `always`, and those tagged `grows` that are behind.

    An output that exists is whole (storage.py) and was made with these settings (guard.py).
    Outputs without versions are DVC's, which decides itself what to run.
    """

    def run(self, pipeline: Pipeline, catalog: CatalogProtocol, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return super().run(Graph(_unfinished(pipeline, catalog)), catalog, *args, **kwargs)


class Session(KedroSession):
    """Kedro's session with a runner that resumes."""

    def run(self, *args: Any, runner: Any = None, **kwargs: Any) -> dict[str, Any]:
        """See KedroSession.run."""
        try:
            _check_runner(runner)
            with chdir(self._project_path):  # what relative paths in settings mean, wherever this was typed
                return super().run(*args, runner=ResumingRunner(), **kwargs)
        except Exception as error:
            mistake = _mistake(error)
            if mistake is None:
                raise
            raise click.ClickException(mistake) from None


def _check_runner(runner: Any) -> None:
    if runner is not None and type(runner) not in (SequentialRunner, ResumingRunner):
        raise InputError(
            f"--runner={type(runner).__name__} can't go on where a run stopped, and would compute everything again: "
            "leave --runner away; what can be done side by side is, within nodes and by a comparison's workers"
        )


def _unfinished(pipeline: Pipeline, catalog: CatalogProtocol) -> list[Node]:
    unfinished: list[Node] = []
    remade: set[str] = set()
    for node in pipeline.nodes:  # in the order of the graph
        behind = "grows" in node.tags and (remade & set(node.inputs) or _is_behind(node, catalog))
        if behind or not _is_finished(node, catalog):
            unfinished.append(node)
            remade |= set(node.outputs)
    return unfinished


def _is_finished(node: Node, catalog: CatalogProtocol) -> bool:
    return "always" not in node.tags and all(
        getattr(catalog.get(name), "_version", None) is not None and catalog.exists(name) for name in node.outputs
    )


def _is_behind(node: Node, catalog: CatalogProtocol) -> bool:
    """Whether an output is older than an input: another run, or one that was killed, has made the pool grow."""
    made, read = ([_version(name, catalog) for name in names] for names in (node.outputs, node.inputs))
    return min(made) < max(read)


def _version(name: str, catalog: CatalogProtocol) -> str:
    """The newest version, a time; empty where there is none."""
    dataset = catalog.get(name)
    versioned = getattr(dataset, "_version", None) is not None and dataset.exists()
    return dataset.resolve_load_version() if versioned else ""


def _mistake(error: BaseException | None) -> str | None:
    """The message for a person, if the error, or one that caused it, is a person's mistake."""
    if error is None:
        return None
    unknown_pipeline = isinstance(error, ValueError) and str(error).startswith("Failed to find the pipeline")
    if unknown_pipeline or isinstance(error, InputError | MissingConfigException | YAMLError | OmegaConfBaseException):
        return str(error)
    return _mistake(error.__cause__)
