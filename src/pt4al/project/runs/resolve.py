"""Turn settings as they were typed into those of a run: no `auto`, folders named, graph known."""

from contextlib import chdir, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pt4al.cluster.worker import limit_threads
from pt4al.errors import InputError
from pt4al.pipelines.options import GraphOptions
from pt4al.project.configuration.folder_names import folders
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs import graph_options
from pt4al.project.runs.changes import foresee
from pt4al.project.runs.engine import resolve_engine
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.preflight import check_many_cycles


@dataclass(frozen=True)
class Resolved:
    """What a command works with.

    Attributes
    ----------
    parameters
        All settings, checked, as Kedro hands them to nodes.
    places
        Those of globals.yml, and the names of folders.
    graph
        Options of the graph.
    """

    parameters: dict[str, Any]
    places: dict[str, Any]
    graph: GraphOptions


def resolve(parameters: dict[str, Any], places: dict[str, Any], project: Path) -> Resolved:
    """Check and resolve settings, and let this process use `engine.threads`.

    Raises
    ------
    InputError
        If a setting is wrong: names it.
    """
    root = project / places["root"]
    with chdir(project):  # relative paths start there
        settings = parse(parameters)
        engine = resolve_engine(settings.engine, root / "precision.json")
        limit_threads(engine.threads)
        settings = settings.model_copy(update={"engine": engine})
        settings, graph = graph_options.resolve(settings, root)
        check_many_cycles(settings)
        named = places | folders(settings, places["versioned"])
        if places["versioned"]:
            folder = RunFolder(root, settings.run.name)
            with suppress(InputError):  # which is said before anything runs
                history = foresee(folder, settings)
                named |= history.now.folders
                graph = graph_options.in_chapters(graph, history, folder)
    return Resolved(settings.model_dump(mode="json"), named, graph)
