"""What somebody typed, as far as checks, locks and tracking depend on it."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from kedro.pipeline import Pipeline

from pt4al.project.configuration.parameters import Parameters
from pt4al.project.runs.context import Context


class Kind(Enum):
    """What a command does: run a run's pipelines, compare runs, or predict with a run's model."""

    RUN = "run"
    COMPARISON = "comparison"
    PREDICTION = "predict"


@dataclass(frozen=True)
class Place:
    """Where a project's files are.

    Attributes
    ----------
    project
        The project's folder.
    root
        Folder of its data.
    versioned
        Whether files have versions of Kedro's; else DVC keeps them.
    env
        Environment of the configuration.
    """

    project: Path
    root: Path
    versioned: bool
    env: str | None

    @classmethod
    def of(cls, context: Context) -> "Place":
        """Return the place of a context's project."""
        places = context.config_loader["globals"]
        project = context.project_path
        return cls(project, project / places["root"], places["versioned"], context.env)


@dataclass(frozen=True)
class Command:
    """A command that runs pipelines.

    Attributes
    ----------
    typed
        Settings that were typed: `runtime_params`.
    tags
        Those of the pipelines' nodes.
    """

    place: Place
    parameters: Parameters
    typed: dict[str, Any]
    tags: frozenset[str]

    @classmethod
    def of(cls, context: Context, run_params: dict[str, Any], pipeline: Pipeline) -> "Command":
        """Return the command of a pipeline that is about to run."""
        tags = frozenset(tag for node in pipeline.nodes for tag in node.tags)
        typed = run_params.get("runtime_params") or {}
        return cls(Place.of(context), context.settings, typed, tags)

    @property
    def kind(self) -> Kind:
        """What the command does."""
        for kind in (Kind.PREDICTION, Kind.COMPARISON):
            if kind.value in self.tags:
                return kind
        return Kind.RUN

    @property
    def root(self) -> Path:
        """Folder of the project's data."""
        return self.place.root

    @property
    def versioned(self) -> bool:
        """Whether files have versions of Kedro's."""
        return self.place.versioned

    @property
    def env(self) -> str | None:
        """Environment of the configuration."""
        return self.place.env

    @property
    def asks(self) -> bool:
        """Whether the command runs cycles, which ask for labels."""
        return "cycles" in self.tags

    @property
    def trains(self) -> bool:
        """Whether the command may train a network."""
        return bool(self.tags & {"pretext", "cycles"})

    @property
    def computes(self) -> bool:
        """Whether the command does more than report."""
        return bool(self.tags - {"report", "page", "grows", "always"})

    @property
    def waits_for_people(self) -> bool:
        """Whether people answer the queries of the command."""
        return self.asks and self.parameters.oracle.kind == "people"

    @property
    def lock(self) -> str:
        """Name of the lock that no second command may hold meanwhile."""
        if self.kind is Kind.COMPARISON:
            return self.parameters.comparison.name
        if self.kind is Kind.PREDICTION:
            return f"{self.parameters.run.name}+predictions"
        return self.parameters.run.name
