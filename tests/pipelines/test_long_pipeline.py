"""The graph of a run: its cost grows with the cycles, not with their square or cube."""

from collections.abc import Callable
from typing import Any

import pytest
from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.graph import build
from pt4al.pipelines.leakage import check_readers
from pt4al.pipelines.long_pipeline import Graph
from pt4al.pipelines.options import GraphOptions


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], dict[str, int]]:
    """Count what is done to make the graph of so many cycles, and to hand it to a runner as a session does."""
    counts: dict[str, int] = {}

    def counted(name: str, owner: type, amount: Callable[..., int]) -> None:
        plain = getattr(owner, name)

        def call(self: Any, *arguments: Any, **kwargs: Any) -> Any:
            answer = plain(self, *arguments, **kwargs)
            counts[name] = counts.get(name, 0) + amount(self)
            return answer

        monkeypatch.setattr(owner, name, call)

    counted("__init__", Pipeline, lambda pipeline: len(pipeline._nodes))
    counted("_validate_namespaces", Pipeline, lambda pipeline: len(pipeline._nodes) ** 2)

    def make(cycles: int) -> dict[str, int]:
        counts.clear()
        whole = build(GraphOptions(cycles))["active_learning"]
        asked = Pipeline([])
        asked += whole
        asked = asked.filter(tags=None, node_names=None, node_namespaces=None)
        check_readers(asked)
        Graph(asked.nodes)
        return dict(counts)

    return make


def test_twice_the_cycles_are_twice_the_work(work: Callable[[int], dict[str, int]]) -> None:
    few, many = work(40), work(80)
    assert few.keys() == many.keys()
    for what in few:
        assert many[what] < 2.2 * few[what], what


def test_the_inputs_of_a_graph_are_collected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kedro asks for them whenever a node has ended."""
    graph = Graph([Node(lambda a: a, "a", "b", name="first"), Node(lambda b: b, "b", "c", name="second")])
    assert graph.inputs() == {"a"}
    assert graph.outputs() == {"c"}
    monkeypatch.setattr(Pipeline, "all_inputs", lambda self: pytest.fail("collected again"))
    assert graph.inputs() == {"a"}
    assert graph.outputs() == {"c"}


def test_a_graph_is_filtered_as_any_pipeline_is() -> None:
    whole = build(GraphOptions(3))["active_learning"]
    assert whole.filter() is whole
    assert (Pipeline([]) + whole).nodes == (whole + build(GraphOptions(3))["report"]).nodes
    assert {node.namespace for node in whole.filter(node_namespaces=["cycle_1"]).nodes} == {"cycle_1"}
    assert {node.name for node in whole.filter(node_names=["ranking.rank_pool"]).nodes} == {"ranking.rank_pool"}


@pytest.mark.slow
def test_two_thousand_cycles_make_a_graph(work: Callable[[int], dict[str, int]]) -> None:
    assert work(2000)["__init__"] < 2000 * 100
