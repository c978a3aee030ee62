"""A pipeline in which a label could get to a query or a training past the oracle does not start."""

from pathlib import Path

import click
import pandas as pd
import pytest
from kedro.pipeline import Node, Pipeline

from pt4al.errors import InputError
from pt4al.pipelines.graph import build
from pt4al.pipelines.leakage import READERS, check_readers, check_reads
from pt4al.pipelines.options import GraphOptions
from support.projects import run

PIPELINES = build(GraphOptions())
WHOLE = PIPELINES["active_learning"]
PEOPLE = build(GraphOptions(3, people=True, waits=True, tested=False, control=True))["active_learning"]
KNOWING = build(GraphOptions(0, people=True, waits=True, knows_pool=True))["active_learning"]
COMPARED = build(GraphOptions(probes=False, compares=True))["active_learning"]


@pytest.mark.parametrize("name", PIPELINES)
def test_our_own_pipelines_leak_nothing(name):
    check_readers(PIPELINES[name])


def test_a_run_that_people_label_leaks_nothing():
    check_readers(PEOPLE)
    check_readers(KNOWING)


def test_a_run_that_tests_a_probe_beside_its_network_leaks_nothing():
    check_readers(COMPARED)


@pytest.mark.parametrize("dataset", READERS)
def test_every_guarded_dataset_and_each_of_its_readers_is_one_of_ours(dataset):
    nodes = {node for pipeline in [*PIPELINES.values(), PEOPLE, KNOWING, COMPARED] for node in pipeline.nodes}
    readers = {node.short_name for node in nodes for name in node.inputs if name.rpartition(".")[2] == dataset}
    assert readers == READERS[dataset]


def rewired(name: str, *, reads: str = "", writes: str = "") -> Pipeline:
    """Our pipeline, with one of its nodes reading or writing something more."""
    (node,) = (node for node in WHOLE.nodes if node.name == name)
    inputs = [*node.inputs, reads] if reads else node.inputs
    outputs = [*node.outputs, writes] if writes else node.outputs
    changed = Node(lambda *read: read, inputs, outputs, name=node.short_name, namespace=node.namespace, tags=node.tags)
    return Pipeline([changed, *(other for other in WHOLE.nodes if other is not node)])


@pytest.mark.parametrize(
    "name", ["cycle_1.choose_query", "cycle_0.train_main", "pretext.train_pretext", "ranking.rank_pool"]
)
@pytest.mark.parametrize("dataset", ["recorded_labels", "test_labels", "test_pool", "run_curves", "intake"])
def test_a_node_that_also_reads_a_guarded_dataset_is_refused_by_name(name, dataset):
    with pytest.raises(InputError, match=rf"node `{name}` reads `{dataset}`, which is for .* alone"):
        check_readers(rewired(name, reads=dataset))


def test_a_query_that_reads_the_metrics_of_the_cycle_before_is_refused():
    with pytest.raises(InputError, match=r"`cycle_2.choose_query` reads `metrics`, which is for collect_curve alone"):
        check_readers(rewired("cycle_2.choose_query", reads="cycle_1.metrics"))


def test_a_reader_that_passes_on_what_it_read_under_another_name_is_refused():
    with pytest.raises(InputError, match=r"`cycle_0.evaluate` reads `\w+` and writes `hint`, which any node may read"):
        check_readers(rewired("cycle_0.evaluate", writes="cycle_0.hint"))


def test_nothing_but_the_report_reads_what_the_report_wrote():
    with pytest.raises(InputError, match="`next` reads `final_metrics`, which is the report's"):
        check_readers(WHOLE + Pipeline([Node(len, "final_metrics", "plan", name="next")]))


def test_a_leaking_pipeline_is_refused_before_anything_runs(
    project: Path, no_training: None, monkeypatch: pytest.MonkeyPatch
):
    leaking = rewired("cycle_1.choose_query", reads="recorded_labels")
    monkeypatch.setattr("pt4al.pipelines.graph.build", lambda shape: {"active_learning": leaking})
    with pytest.raises(click.ClickException) as refused:
        run(project)
    assert "node `cycle_1.choose_query` reads `recorded_labels`" in refused.value.message
    assert [path.name for path in (project / "data").iterdir() if path.name != "precision.json"] == ["01_raw"]


def test_what_a_node_of_an_earlier_version_has_read_is_no_leak():
    reads = pd.DataFrame([("draw_pictures", "run_curves")], columns=["node", "dataset"])
    assert check_reads(reads)["ok"].all()
    assert not check_reads(reads.assign(node="cycle_1.choose_query"))["ok"].any()


def test_a_query_that_reads_what_became_of_test_images_is_refused():
    with pytest.raises(InputError, match=r"`cycle_2.choose_query` reads `test_predictions`"):
        check_readers(rewired("cycle_2.choose_query", reads="cycle_1.test_predictions"))


def test_what_was_read_is_compared_with_what_may_be():
    allowed = [("cycle_0.ask_oracle", "recorded_labels"), ("collect_curve", "cycle_3.metrics")]
    reads = pd.DataFrame([*allowed, ("cycle_1.choose_query", "test_labels")], columns=["node", "dataset"])
    (row,) = check_reads(reads.head(2)).itertuples()
    assert (row.ok, row.found) == (True, "1 nodes read them")
    (row,) = check_reads(reads).itertuples()
    assert (row.ok, row.found) == (False, "1 are not so, the first is test_labels by cycle_1.choose_query")
    assert check_reads(reads.head(0))["ok"].all()
