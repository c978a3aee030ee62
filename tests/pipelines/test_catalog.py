"""Every dataset of every pipeline is in the catalog, on disk, with versions."""

from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from types import SimpleNamespace

import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import MemoryDataset

from pt4al.pipeline_registry import register_pipelines
from pt4al.pipelines.graph import build
from pt4al.pipelines.options import GraphOptions
from pt4al.project.runs.resume import Session
from support.projects import ROOT

# Other runs' files, and logs that grow. So is all of a comparison, which is made from its cells at each run.
UNVERSIONED = {"run_curves", "runs", "all_pretext_losses", "all_pretext_settings", "timings", "reads", "answer_log"}
UNVERSIONED |= {"run_classes"}  # people may add some while a run goes on
UNVERSIONED |= {"chapters"}  # written before anything runs
UNVERSIONED |= {"default_parameters"}  # a file of conf/
# A text of the catalog itself; and what the report's nodes read, gathered at each command.
IN_MEMORY = {"intake_link", "next_commands", "run_history", "curves"}


@pytest.fixture(scope="module")
def catalog():
    bootstrap_project(ROOT)
    with Session.create(project_path=ROOT, env="tiny", save_on_close=False) as session:
        yield session.load_context().catalog


def datasets() -> list[str]:
    names: set[str] = set()
    apart = GraphOptions(own_trunk=True, views=False, probes=False)
    doubts = {"suspects": frozenset(range(3)), "relabels": True}
    people = GraphOptions(3, people=True, waits=True, tested=False, control=True, **doubts)
    for shape in (GraphOptions(), apart, people):
        names |= set().union(*(pipeline.datasets() for pipeline in build(shape).values()))
    return sorted(name for name in names if not name.startswith("params:") and name != "parameters")


@pytest.mark.parametrize("name", datasets())
def test_no_dataset_is_left_to_memory(catalog, name: str) -> None:
    assert name in catalog
    assert isinstance(catalog.get(name), MemoryDataset) == (name in IN_MEMORY)
    if name not in UNVERSIONED | IN_MEMORY and not name.startswith("comparison_"):
        assert catalog.get(name)._version is not None


def test_names_of_the_stages_are_those_of_the_readme() -> None:
    pipelines = register_pipelines()
    stages = {"pool", "features", "pretext", "ranking", "cycles", "report"}
    assert set(pipelines) == stages | {"active_learning", "cell", "comparison", "cold_start", "predict", "__default__"}
    assert set(pipelines["__default__"].nodes) == set(pipelines["active_learning"].nodes)


def test_each_cycle_is_a_namespace_that_reads_only_the_cycle_before() -> None:
    cycles = register_pipelines()["cycles"]
    for node in cycles.nodes:
        own = int(node.namespace.removeprefix("cycle_"))
        read = {name.split(".")[0] for name in node.inputs if "." in name and not name.startswith("params:")}
        assert read <= {f"cycle_{own}", f"cycle_{own - 1}"}


def test_only_the_evaluation_reads_the_test_split() -> None:
    pipelines = register_pipelines()
    whole, intake = pipelines["__default__"], pipelines["pool"]  # which makes the split, and looks for repetitions
    test = {"test_pool", "test_labels", "test_features"}
    readers = {node.short_name for node in whole.nodes if test & set(node.inputs)}
    # The check of leaks looks at its ids alone; the others belong to the report.
    evaluating = {"evaluate", "check_leaks", "compute_test_features", "find_failures", "judge_run"}
    assert readers - {node.short_name for node in intake.nodes} == evaluating


def test_nothing_but_the_report_reads_what_came_of_the_test_split_at_intake() -> None:
    whole = register_pipelines()["__default__"]
    readers = {node.short_name for node in whole.nodes if {"problems", "duplicates", "intake"} & set(node.inputs)}
    assert readers == {"report_intake", "start", "write_report"}


def test_the_intake_report_is_written_before_anything_is_asked() -> None:
    whole = register_pipelines()["__default__"]
    assert "report_intake" in {node.short_name for node in whole.to_nodes("cycle_0.choose_query").nodes}


def test_nothing_but_report_and_tracking_reads_a_metric() -> None:
    whole = register_pipelines()["__default__"]
    readers = {node.name for node in whole.nodes for name in node.inputs if name.endswith(".metrics")}
    assert readers == {"report.collect_curve"}


def test_the_registered_graph_is_that_of_the_default_settings(project: Path) -> None:
    """In a project without runs, which may have settings of their own."""
    bootstrap_project(project)
    with Session.create(project_path=project, env="base", save_on_close=False) as session:
        assert session.load_context().resolved.graph == GraphOptions()


def test_whoever_loads_the_context_sees_the_graph_of_its_settings() -> None:
    """Kedro-Viz makes Kedro's own session, without hooks."""
    bootstrap_project(ROOT)
    cycles = {"cycles": {"number": 7}}
    with KedroSession.create(ROOT, env="tiny", runtime_params=cycles, save_on_close=False) as session:
        session._hook_manager = SimpleNamespace(hook=SimpleNamespace(after_context_created=lambda context: None))
        session.load_context()
        assert "cycle_6.evaluate" in {node.name for node in pipelines["__default__"].nodes}


def test_each_stage_is_a_box_whose_datasets_keep_their_names() -> None:
    """Kedro-Viz folds a namespace; the pool and its features need the network before them, in no circle."""
    whole = register_pipelines()["__default__"]
    boxes = {"pool", "features", "pretext", "ranking", "report"} | {f"cycle_{cycle}" for cycle in range(5)}
    assert {node.namespace for node in whole.nodes} == boxes
    made = {name: node.namespace for node in whole.nodes for name in node.outputs}
    after = {
        box: {made.get(name) for node in whole.nodes if node.namespace == box for name in node.inputs} for box in boxes
    }
    assert tuple(TopologicalSorter({box: earlier - {box, None} for box, earlier in after.items()}).static_order())
    assert {name.split(".")[0] for name in whole.datasets() if "." in name} <= {f"cycle_{cycle}" for cycle in range(5)}


SHAPES = [GraphOptions(), GraphOptions(own_trunk=True, views=False), GraphOptions(3, True, True, control=True)]


@pytest.mark.parametrize("options", SHAPES, ids=["default", "own trunk", "people"])
def test_layers_of_kedro_viz_follow_each_other(catalog, options: GraphOptions) -> None:
    """In a circle it would show none."""
    after: dict[str, set[str]] = {}
    whole = build(options)["active_learning"]
    for node in whole.nodes:
        for made in filter(None, map(partial(layer, catalog), node.outputs)):
            read = set(filter(None, map(partial(layer, catalog), node.inputs)))
            after.setdefault(made, set()).update(read - {made})
    ordered = list(TopologicalSorter(after).static_order())
    assert ordered[0] == "pool"
    assert ordered.index("ranking") < ordered.index("cycle_0") < ordered.index("report")


def layer(catalog, name: str) -> str | None:
    if name.startswith("params:") or name == "parameters":
        return None
    return ((catalog.get(name).metadata or {}).get("kedro-viz") or {}).get("layer")
