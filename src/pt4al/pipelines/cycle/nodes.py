"""Nodes of one cycle. Each is bound to its cycle's number."""

import math
from functools import partial

import numpy as np
import pandas as pd

from pt4al.images.pool import ImagePool
from pt4al.labelling import label_set as labelling
from pt4al.labelling.oracle import Recorded
from pt4al.parameters import Cycles, Engine, Main, Oracle, Query, Run
from pt4al.pipelines.cycle.evidence import Gatherer, needs
from pt4al.randomness import stream, torch_generator
from pt4al.selection import query as selection
from pt4al.selection.strategies import STRATEGIES, balanced
from pt4al.selection.uncertainty import LEARNING_LOSS, MEASURES
from pt4al.training import engine as training
from pt4al.training import learning_loss
from pt4al.training.linear_probe import probe
from pt4al.training.networks import Network, add_loss_head, build, copy_trunk, load_pretrained
from pt4al.training.precision import Hardware
from pt4al.training.tasks import TASKS

MAPPED = 8  # images of a query that the report shows with prediction and uncertainty


def start_query(
    pool: ImagePool,
    ranking: pd.DataFrame,
    label_set: pd.DataFrame,
    pretext_network: Network,
    classes: list[str],
    query: Query,
    cycles: Cycles,
    main: Main,
    engine: Engine,
    run: Run,
    *,
    cycle: int,
) -> pd.DataFrame:
    """Return the query of cycle 0: no model has been trained yet."""
    candidates = selection.candidates(ranking, label_set["id"], query.scope, cycle)
    if query.start in selection.STARTS:
        return selection.start(candidates, query.start, cycles.budget, stream(run.seed, "query", cycle))
    gather = Gatherer(
        pool, candidates, label_set, classes, None, pretext_network, None, query, main, engine, run, cycle
    )
    strategy = STRATEGIES[query.start]()
    selection.check_enough(candidates, cycles.budget)
    evidence = gather.evidence(cycles.budget, strategy.needs)
    return selection.pick(candidates, strategy.choose(evidence))


def next_query(
    pool: ImagePool,
    ranking: pd.DataFrame,
    label_set: pd.DataFrame,
    network: Network,
    pretext_network: Network,
    classes: list[str],
    query: Query,
    cycles: Cycles,
    main: Main,
    engine: Engine,
    run: Run,
    audit: pd.DataFrame | None = None,
    *,
    cycle: int,
) -> pd.DataFrame:
    """Return what the strategy wants, from what the main model of the cycle before says of the candidates."""
    candidates = selection.candidates(ranking, label_set["id"], query.scope, cycle)
    selection.check_enough(candidates, cycles.budget)
    spread = network if query.features == "main" else pretext_network
    gather = Gatherer(pool, candidates, label_set, classes, network, spread, audit, query, main, engine, run, cycle)
    evidence = gather.evidence(cycles.budget, needs(query))
    strategy = STRATEGIES[query.strategy](**query.options)
    chosen = balanced(strategy, evidence) if query.balance else strategy.choose(evidence)
    return selection.pick(candidates, chosen, evidence.scores)


def map_query(
    pool: ImagePool, chosen: pd.DataFrame, network: Network, query: Query, main: Main, engine: Engine
) -> dict[str, np.ndarray]:
    """Return what the model that chose the first images of a query saw: `predictions`, `uncertainties`, 0 to 255.

    Both are uint8 (images, height, width). Nothing for tasks that answer once an image.
    """
    task, hardware = TASKS[main.task], Hardware(engine.device, engine.precision)
    if not task.dense:
        return {}
    rows, measure = pool.rows(chosen["id"].head(MAPPED)), MEASURES.get(query.measure, MEASURES["entropy"])
    predictions = training.predict(network, task.outputs, pool, hardware, rows, title="map")
    uncertainties = training.predict(network, partial(task.uncertainty_map, measure=measure), pool, hardware, rows)
    scaled = 255 * uncertainties / max(float(uncertainties.max()), 1e-9)
    return {"predictions": predictions, "uncertainties": scaled.astype(np.uint8)}


def ask(query: pd.DataFrame, recorded_labels: pd.DataFrame, oracle: Oracle) -> pd.DataFrame:
    """Return the oracle's answers to a query."""
    return Recorded(recorded_labels).label(query["id"])


def extend(
    label_set: pd.DataFrame, answers: pd.DataFrame, classes: list[str], query: Query, *, cycle: int
) -> pd.DataFrame:
    """Return the label set, grown by the answers."""
    why = query.measure if query.strategy == "top" else query.strategy
    grown = labelling.extend(label_set, answers, cycle, why if cycle else query.start)
    labelling.check(grown, classes)
    return grown


def audit(
    pool: ImagePool,
    answers: pd.DataFrame,
    network: Network,
    ranking: pd.DataFrame,
    classes: list[str],
    main: Main,
    engine: Engine,
) -> pd.DataFrame:
    """Return `id`, `pretext_loss`, `main_loss` of images just labelled, by the model that has not seen them."""
    task, hardware = TASKS[main.task], Hardware(engine.device, engine.precision)
    targets, rows = task.targets(answers["label"], classes), pool.rows(answers["id"])
    losses = training.predict(network, task.loss, pool, hardware, rows, targets, title="audit")
    return answers[["id"]].merge(ranking[["id", "pretext_loss"]], on="id").assign(main_loss=losses)


def train(
    pool: ImagePool,
    label_set: pd.DataFrame,
    classes: list[str],
    previous: Network,
    pretext_network: Network,
    query: Query,
    main: Main,
    engine: Engine,
    run: Run,
    *,
    cycle: int,
) -> tuple[Network, pd.DataFrame]:
    """Return the main network, trained on the whole label set, and its training curve."""
    task, hardware = TASKS[main.task], Hardware(engine.device, engine.precision)
    rng = stream(run.seed, f"main, repeat {run.repeat}" if run.repeat else "main", cycle)
    targets, rows = task.targets(label_set["label"], classes), pool.rows(label_set["id"])
    weights = task.class_weights(targets, len(classes)) if main.class_weights == "median_frequency" else None
    generator = torch_generator(rng)
    network = build(main.network, len(classes), pool.mean, pool.std, generator, dense=task.dense)
    network.dropout = main.dropout
    loss = task.loss
    if query.measure == LEARNING_LOSS:
        add_loss_head(network, generator)
        loss = learning_loss.loss
    if main.start_from == "pretext":
        copy_trunk(pretext_network, network)
    elif main.start_from == "previous_cycle" and cycle:
        network.load_state_dict(previous.state_dict())
    elif main.start_from == "pretrained":
        load_pretrained(network, main.weights)
    if main.frozen == "all" and not task.dense:
        return network, probe(network, pool, rows, targets, hardware, weights)
    curve = training.fit(
        network,
        partial(loss, weights=weights),
        pool,
        main.schedule,
        rng,
        hardware,
        rows=rows,
        targets=targets,
        augment=main.augment,
        frozen=math.inf if main.frozen == "all" else main.frozen,
        title=f"cycle {cycle}",
    )
    return network, curve


def evaluate(
    network: Network,
    test_pool: ImagePool,
    test_labels: pd.DataFrame,
    classes: list[str],
    label_set: pd.DataFrame,
    main: Main,
    engine: Engine,
) -> dict[str, float]:
    """Return the cycle's metrics on the test split, which nothing else opens, after training has ended."""
    task, hardware = TASKS[main.task], Hardware(engine.device, engine.precision)
    rows = test_pool.rows(test_labels["id"])
    outputs = training.predict(network, task.outputs, test_pool, hardware, rows, title="evaluate")
    return {"labels": len(label_set), **task.evaluate(outputs, task.targets(test_labels["label"], classes), classes)}
