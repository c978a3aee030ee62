"""Build every pipeline from the options that a run's graph depends on."""

import warnings
from dataclasses import replace
from itertools import chain

from kedro.pipeline import Pipeline

from pt4al.pipelines.cold_start import pipeline as cold_start
from pt4al.pipelines.comparison import pipeline as comparison
from pt4al.pipelines.cycle import pipeline as cycle
from pt4al.pipelines.features import pipeline as features
from pt4al.pipelines.long_pipeline import Graph
from pt4al.pipelines.options import GraphOptions
from pt4al.pipelines.pool import pipeline as pool
from pt4al.pipelines.predict import pipeline as predict
from pt4al.pipelines.pretext import pipeline as pretext
from pt4al.pipelines.ranking import pipeline as ranking
from pt4al.pipelines.report import pipeline as report


def build(options: GraphOptions) -> dict[str, Pipeline]:
    """Return the pipelines by name."""
    with warnings.catch_warnings():
        # A cycle reads `cycle_0.label_set` of the cycle before: Kedro warns of the dot.
        warnings.filterwarnings("ignore", message="One or more dataset names contain '.'")
        return _build(options)


def _build(options: GraphOptions) -> dict[str, Pipeline]:
    stages = {
        "pool": _box("pool", pool.create_pipeline(options)),
        "features": _box("features", features.create_pipeline(options)),
        "pretext": _box("pretext", pretext.create_pipeline(options)),
        "ranking": _box("ranking", ranking.create_pipeline()),
        "cycles": cycle.create_pipeline(options),
        "report": _box("report", report.create_pipeline(options)),
    }
    together = stages | _pool_and_features(options)
    whole = Graph(list(chain.from_iterable(stage.nodes for stage in together.values())))
    beside = {
        "comparison": comparison.create_pipeline(),
        "predict": predict.create_pipeline(),
        "cold_start": _before_cycles(options, stages) + cold_start.create_pipeline(),
    }
    # A comparison needs all of a run but its page, which `report` makes whenever somebody wants it.
    beside["cell"] = Graph([node for node in whole.nodes if "page" not in node.tags])
    return stages | {"active_learning": whole, "__default__": whole} | beside


def _before_cycles(options: GraphOptions, stages: dict[str, Pipeline]) -> Pipeline:
    tested = features.create_pipeline(replace(options, probes=True))
    return stages["pool"] + _box("features", tested) + stages["pretext"] + stages["ranking"]


def _pool_and_features(options: GraphOptions) -> dict[str, Pipeline]:
    """Return both stages of one command, in which the pool needs the network of the features, too.

    Loading it belongs to the pool's box then: from the box of the features, which need the pool,
    it would close a circle, and alone it would hang loose.
    """
    stage = features.create_pipeline(options)
    loads = Pipeline([node for node in stage.nodes if "features_network" in node.outputs])
    first = pool.create_pipeline(options, with_features=True)
    return {"pool": _box("pool", first + loads), "features": _box("features", stage - loads)}


def _box(name: str, stage: Pipeline) -> Pipeline:
    """Return a stage in a namespace of its own, which Kedro-Viz folds; datasets keep their names."""
    return Pipeline(stage, namespace=name, prefix_datasets_with_namespace=False)
