"""A pipeline of very many nodes: what Kedro computes again and again of one is computed once."""

from functools import cached_property
from typing import Any

from kedro.pipeline import Pipeline


class Graph(Pipeline):
    """A pipeline whose cost grows with its nodes alone.

    Kedro's own compares each node with each namespace before it, whenever a pipeline is made: 2,000
    cycles, a chain of 2,000 namespaces, would need 10 GB. And it asks a pipeline for its inputs
    whenever a node has ended.
    """

    def inputs(self) -> set[str]:
        """See Pipeline."""
        return set(self._inputs)

    def outputs(self) -> set[str]:
        """See Pipeline."""
        return set(self._outputs)

    def filter(self, *args: Any, **wanted: Any) -> Pipeline:
        """See Pipeline. All of it is this one, not a copy."""
        return super().filter(*args, **wanted) if any(args) or any(wanted.values()) else self

    def __add__(self, other: Any) -> Pipeline:
        """See Pipeline. A session adds the pipelines that it was asked for to an empty one."""
        return (
            Graph(dict.fromkeys([*self._nodes, *other._nodes])) if other and other._nodes else self
        )

    __radd__ = __add__

    def _validate_namespaces(self) -> None:
        """Nothing: cycles follow each other by construction."""

    @cached_property
    def _inputs(self) -> set[str]:
        return super().inputs()

    @cached_property
    def _outputs(self) -> set[str]:
        return super().outputs()
