"""Nodes of one cycle. Each is bound to its cycle's number."""

import math
from functools import partial

import numpy as np
import pandas as pd
import torch

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.oracle import CORRECTION, HumanOracle, none_asked
from pt4al.errors import InputError
from pt4al.features.probe import probe
from pt4al.features.vectors import Features
from pt4al.images.pool import ImagePool
from pt4al.labels import label_set as labelling
from pt4al.labels.recorded import recorded_answers
from pt4al.pipelines.cycle.evidence import CACHED, Gatherer, Known, needs
from pt4al.pipelines.cycle.request import Request
from pt4al.project.configuration.parameters import Control, Cycles, Engine, Main, Oracle, Query, Run
from pt4al.randomness import stream, torch_generator
from pt4al.selection import candidates as selection
from pt4al.selection import control as controls
from pt4al.selection import explain as reasons
from pt4al.selection.strategies import STRATEGIES, balanced
from pt4al.selection.uncertainty import LEARNING_LOSS, MEASURES
from pt4al.statistics import intervals
from pt4al.training import engine as training
from pt4al.training import learning_loss
from pt4al.training.networks import (
    Network,
    add_loss_head,
    blank_probe,
    build,
    copy_trunk,
    load_pretrained,
    restart,
    widen,
)
from pt4al.training.precision import Hardware
from pt4al.training.tasks import TASKS, Task, classification

SKIPPED_ALL = "every image was skipped or is for measuring: answer some, or lower `control.share`"
MAPPED = 8  # images of a query that the report shows with prediction and uncertainty


def start_query(
    pool: ImagePool,
    features: Features,
    ranking: pd.DataFrame,
    label_set: pd.DataFrame,
    classes: list[str],
    query: Query,
    cycles: Cycles,
    oracle: Oracle,
    control: Control,
    main: Main,
    engine: Engine,
    run: Run,
    slices: pd.DataFrame | None = None,
    *,
    cycle: int,
) -> pd.DataFrame:
    """Return the query of cycle 0: no model has been trained yet."""
    ranking = selection.in_pool_order(ranking, pool.ids)
    request = Request.of(
        ranking, label_set["id"], query, cycles, oracle, control, run, slices, cycle
    )
    if query.start in selection.STARTS:
        rng = stream(run.seed, "query", cycle)
        own = selection.start(request.candidates, query.start, request.budget, rng)
        rest = request.candidates[~request.candidates["id"].isin(own["id"])]
        return request.query(
            own, selection.start(rest, query.start, min(request.reserve, len(rest)), rng)
        )
    strategy = STRATEGIES[query.start]()
    known = Known(pool, features, features, request.candidates, label_set, classes)
    gather = Gatherer(
        known, None, None, query.model_copy(update={"features": CACHED}), main, engine, run, cycle
    )
    return request.choose(strategy.choose, gather.evidence(request.budget, strategy.needs))


def next_query(
    pool: ImagePool,
    images: ImagePool | Features,
    features: Features,
    ranking: pd.DataFrame,
    label_set: pd.DataFrame,
    network: Network,
    classes: list[str],
    query: Query,
    cycles: Cycles,
    oracle: Oracle,
    control: Control,
    main: Main,
    engine: Engine,
    run: Run,
    slices: pd.DataFrame | None = None,
    asked: pd.DataFrame | None = None,
    audit: pd.DataFrame | None = None,
    *,
    cycle: int,
) -> pd.DataFrame:
    """Return what the strategy wants, from what the model that is asked says of the candidates.

    That is the main model of the cycle before, or a probe of features that has the same labels.
    """
    known = label_set["id"] if asked is None else pd.concat([label_set["id"], asked["id"]])
    ranking = selection.in_pool_order(ranking, pool.ids)
    request = Request.of(ranking, known, query, cycles, oracle, control, run, slices, cycle)
    if query.model == "probe":
        learnt = labelling.trained_on(label_set, cycle - 1, control.train)
        network = fit_probe(features, learnt, classes, main, engine)
        images = features
    widen(network, len(classes))
    facts = Known(pool, images, features, request.candidates, label_set, classes)
    gather = Gatherer(facts, network, audit, query, main, engine, run, cycle)
    strategy = STRATEGIES[query.strategy](**query.options)
    choose = partial(balanced, strategy) if query.balance else strategy.choose
    return request.choose(choose, gather.evidence(request.budget, needs(query)))


def fit_probe(
    features: Features, label_set: pd.DataFrame, classes: list[str], main: Main, engine: Engine
) -> Network:
    """Return a linear probe of the features, fitted to a label set."""
    task = TASKS[main.task]
    hardware = Hardware(engine.device, engine.precision)
    targets = task.targets(label_set["label"], classes)
    rows = features.rows(label_set["id"])
    weights = (
        task.class_weights(targets, len(classes))
        if main.class_weights == "median_frequency"
        else None
    )
    network = blank_probe(features.shape[-1], len(classes))
    probe(network, features, rows, targets, hardware, weights)
    return network


def map_query(
    pool: ImagePool,
    chosen: pd.DataFrame,
    network: Network,
    query: Query,
    main: Main,
    engine: Engine,
) -> dict[str, np.ndarray]:
    """Return what the model that chose the first images of a query saw: `predictions`, `uncertainties`, 0 to 255.

    Both are uint8 (images, height, width). Nothing for tasks that answer once an image.
    """
    task = TASKS[main.task]
    hardware = Hardware(engine.device, engine.precision)
    if not task.dense:
        return {}
    rows = pool.rows(chosen["id"].head(MAPPED))
    measure = MEASURES.get(query.measure, MEASURES["entropy"])
    predictions = training.predict(network, task.outputs, pool, hardware, rows, title="map")
    uncertainties = training.predict(
        network, partial(task.uncertainty_map, measure=measure), pool, hardware, rows
    )
    scaled = 255 * uncertainties / max(float(uncertainties.max()), 1e-9)
    return {"predictions": predictions, "uncertainties": scaled.astype(np.uint8)}


def draw_slices(
    ranking: pd.DataFrame, start_label_set: pd.DataFrame, cycles: Cycles, control: Control, run: Run
) -> pd.DataFrame:
    """Return the control slices of all cycles, drawn before any query: `id`, `cycle`."""
    unlabelled = ranking["id"][~ranking["id"].isin(start_label_set["id"])].sort_values()
    sizes = [controls.size(budget, control.share) for budget in cycles.budgets]
    return controls.draw(unlabelled, sizes, stream(run.seed, "control"))


def explain(
    features: Features, ranking: pd.DataFrame, query: pd.DataFrame, label_set: pd.DataFrame
) -> pd.DataFrame:
    """Return why each image of a query was chosen; see `selection.reasons`."""
    every = features.view(np.arange(len(features)))
    return reasons.explain(query, ranking, label_set["id"], features.ids, every)


def suggest(
    pool: ImagePool | Features,
    query: pd.DataFrame,
    network: Network,
    classes: list[str],
    main: Main,
    engine: Engine,
) -> pd.DataFrame:
    """Return what the newest model takes a query's images for: `id`, `label`, `probability`; nothing for masks."""
    if TASKS[main.task].dense:
        return pd.DataFrame(columns=["id", "label", "probability"])
    hardware = Hardware(engine.device, engine.precision)
    rows = pool.rows(query["id"])
    likely = training.predict(
        widen(network, len(classes)),
        classification.class_probabilities,
        pool,
        hardware,
        rows,
        title="suggest",
    )
    best = likely.argmax(axis=1)
    return query[["id"]].assign(
        label=np.array(classes, object)[best], probability=likely.max(axis=1)
    )


def ask(query: pd.DataFrame, recorded_labels: pd.DataFrame, oracle: Oracle) -> pd.DataFrame:
    """Return the oracle's answers to a query."""
    return recorded_answers(recorded_labels, query["id"])


def ask_people(
    query: pd.DataFrame,
    label_set: pd.DataFrame,
    answer_log: AnswerLog,
    oracle: Oracle,
    asked: pd.DataFrame | None = None,
    *,
    cycle: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what people have answered, late answers and corrections too, and all that has been asked so far."""
    asked = none_asked() if asked is None else asked
    people = HumanOracle(answer_log, Policy(oracle.annotators, oracle.disagreement, oracle.skipped))
    return people.label(query, label_set, asked, cycle, oracle.go_on.share, oracle.go_on.after)


def extend(
    label_set: pd.DataFrame, answers: pd.DataFrame, classes: list[str], query: Query, *, cycle: int
) -> pd.DataFrame:
    """Return the label set, grown by the answers, and with what people have corrected."""
    why = (query.measure if query.strategy == "top" else query.strategy) if cycle else query.start
    if "role" in answers:
        corrected = answers["role"] == CORRECTION
        label_set = labelling.correct(label_set, answers[corrected])
        answers = answers[~corrected]
        why = np.where(answers["role"] == labelling.CONTROL, labelling.CONTROL, why)
    grown = labelling.extend(label_set, answers, cycle, why)
    labelling.check(grown, classes)
    return grown


def audit(
    pool: ImagePool | Features,
    answers: pd.DataFrame,
    network: Network,
    ranking: pd.DataFrame,
    classes: list[str],
    main: Main,
    engine: Engine,
) -> pd.DataFrame:
    """Return `id`, `pretext_loss`, `main_loss` of images just labelled, by the model that has not seen them."""
    task = TASKS[main.task]
    hardware = Hardware(engine.device, engine.precision)
    if "role" in answers:  # a corrected image has been trained on
        answers = answers[answers["role"] != CORRECTION].reset_index(drop=True)
    targets = task.targets(answers["label"], classes)
    rows = pool.rows(answers["id"])
    losses = training.predict(
        widen(network, len(classes)), task.loss, pool, hardware, rows, targets, title="audit"
    )
    return answers[["id"]].merge(ranking[["id", "pretext_loss"]], on="id").assign(main_loss=losses)


def train(
    pool: ImagePool | Features,
    label_set: pd.DataFrame,
    classes: list[str],
    previous: Network,
    trunk: Network,
    query: Query,
    control: Control,
    main: Main,
    engine: Engine,
    run: Run,
    *,
    cycle: int,
) -> tuple[Network, pd.DataFrame]:
    """Return the main network, trained on the label set without what measures it, and its training curve.

    Parameters
    ----------
    pool
        Features, for a probe of them.
    trunk
        The pretext network, or the one whose features are computed: whichever `main.start_from`
        names.
    """
    task = TASKS[main.task]
    hardware = Hardware(engine.device, engine.precision)
    label_set = labelling.trained_on(label_set, cycle, control.train)
    if label_set.empty:
        raise InputError(f"cycle {cycle}: there is no label to train on, {SKIPPED_ALL}")
    rng = stream(run.seed, f"main, repeat {run.repeat}" if run.repeat else "main", cycle)
    targets = task.targets(label_set["label"], classes)
    rows = pool.rows(label_set["id"])
    weights = (
        task.class_weights(targets, len(classes))
        if main.class_weights == "median_frequency"
        else None
    )
    generator = torch_generator(rng)
    network = _started(pool, len(classes), trunk, main, generator)
    loss = task.loss
    if query.measure == LEARNING_LOSS:
        add_loss_head(network, generator)
        loss = learning_loss.loss
    if main.start_from == "previous_cycle" and cycle:
        network.load_state_dict(widen(previous, len(classes)).state_dict())
    if main.frozen == "all" and not task.dense:
        return network, probe(network, pool, rows, targets, hardware, weights)
    if main.start_from == "features":
        # A head that fits from the start keeps the trunk from being bent by a random one's
        # gradients.
        probe(network, pool, rows, targets, hardware, weights)
        network.still = True
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


def _started(
    pool: ImagePool | Features, classes: int, trunk: Network, main: Main, generator: torch.Generator
) -> Network:
    """The main network before its training, but for what an earlier cycle's has learnt."""
    if main.probes:
        network = blank_probe(pool.shape[-1], classes)
    elif main.start_from == "features":
        network = restart(trunk, classes, generator)
    else:
        dense = TASKS[main.task].dense
        network = build(main.network, classes, pool.mean, pool.std, generator, dense=dense)
    if main.start_from == "pretext":
        copy_trunk(trunk, network)
    elif main.start_from == "pretrained":
        load_pretrained(network, main.weights)
    network.dropout = main.dropout
    return network


def evaluate(
    network: Network,
    test_pool: ImagePool | Features,
    test_labels: pd.DataFrame,
    classes: list[str],
    label_set: pd.DataFrame,
    main: Main,
    engine: Engine,
) -> dict[str, float]:
    """Return the cycle's metrics on the test split, which nothing else opens, after training has ended."""
    task = TASKS[main.task]
    hardware = Hardware(engine.device, engine.precision)
    rows = test_pool.rows(test_labels["id"])
    outputs = training.predict(
        widen(network, len(classes)), task.outputs, test_pool, hardware, rows, title="evaluate"
    )
    return {
        "labels": len(label_set),
        **task.evaluate(outputs, task.targets(test_labels["label"], classes), classes),
    }


def evaluate_probe(
    features: Features,
    test_features: Features,
    test_labels: pd.DataFrame,
    label_set: pd.DataFrame,
    classes: list[str],
    control: Control,
    main: Main,
    engine: Engine,
    *,
    cycle: int,
) -> dict[str, float]:
    """Return what a linear probe of features would get on the test split, by the labels that the network has."""
    learnt = labelling.trained_on(label_set, cycle, control.train)
    network = fit_probe(features, learnt, classes, main, engine)
    return evaluate(network, test_features, test_labels, classes, label_set, main, engine)


def evaluate_control(
    network: Network,
    pool: ImagePool | Features,
    label_set: pd.DataFrame,
    classes: list[str],
    control: Control,
    main: Main,
    engine: Engine,
    run: Run,
    *,
    cycle: int,
) -> dict[str, float]:
    """Return the cycle's metrics on control images that its network has not learnt from, with an interval."""
    task = TASKS[main.task]
    hardware = Hardware(engine.device, engine.precision)
    drawn = labelling.measured_on(label_set, cycle, control.train)
    facts = {"labels": len(label_set), "images": len(drawn)}
    rng = stream(run.seed, "control interval", cycle)
    if drawn.empty:
        return facts | {task.metric: None, "low": 0.0, "high": 1.0}
    targets = task.targets(drawn["label"], classes)
    rows = pool.rows(drawn["id"])
    outputs = training.predict(
        widen(network, len(classes)), task.outputs, pool, hardware, rows, title="control"
    )
    return (
        facts
        | task.evaluate(outputs, targets, classes)
        | _interval(outputs, targets, classes, task, rng)
    )


def take_control(control: dict[str, float]) -> dict[str, float]:
    """Return the control slice's metrics, where there is no test split, as the cycle's."""
    return control


def _interval(
    outputs: np.ndarray,
    targets: torch.Tensor,
    classes: list[str],
    task: Task,
    rng: np.random.Generator,
) -> dict[str, float]:
    """The 95 % interval of the task's metric on a random sample."""
    if task.dense:
        metric = lambda rows: task.evaluate(outputs[rows], targets[rows], classes)[task.metric]  # noqa: E731
        return intervals.resampled(len(targets), metric, rng)
    return intervals.share(int((outputs.argmax(axis=1) == targets.numpy()).sum()), len(targets))
