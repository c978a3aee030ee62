"""Nodes of one cycle. Each that depends on the cycle is bound to its number."""

import json
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.oracle import CORRECTION, HumanOracle, labels_given, none_asked
from pt4al.annotation.progress import RELABEL
from pt4al.errors import InputError
from pt4al.features import suspects
from pt4al.features.vectors import Features
from pt4al.files.stored_table import StoredTable
from pt4al.labels.label_set import CONTROL, check, correct, extend, measured_on, trained_on
from pt4al.labels.recorded import recorded_answers
from pt4al.pipelines.cycle.evidence import Sources, chooser, gather, query_grounds
from pt4al.pipelines.cycle.model import (
    Images,
    Lesson,
    Model,
    asked_model,
    fit_probe,
    learn,
)
from pt4al.pipelines.cycle.plan import QueryPlan
from pt4al.pipelines.cycle.state import CycleState
from pt4al.project.configuration.parameters import Oracle, Parameters, Query
from pt4al.randomness import stream
from pt4al.selection.candidates import STARTS
from pt4al.selection.control import set_apart
from pt4al.selection.explain import explain
from pt4al.selection.uncertainty import MEASURES, as_they_are
from pt4al.selection.why import add_grounds
from pt4al.statistics import intervals
from pt4al.training.networks import Network
from pt4al.training.tasks import TASKS, classification, segmentation

SKIPPED_ALL = "every image was skipped or is for measuring: answer some, or lower `control.share`"
LIKELY = 5  # classes that the labelling page shows bars for
MAPPED = 8  # images of a query that the report shows with prediction and uncertainty


def choose_query(settings: Parameters, *, cycle: int, **state: Any) -> pd.DataFrame:
    """Return the query of a cycle; `state` has the fields of `CycleState`."""
    before = CycleState(**state)
    first = cycle == 0
    query = settings.query
    plan = QueryPlan.make(before, settings, cycle)
    if first and query.start in STARTS:
        return plan.start(query.start, stream(settings.run.seed, "query", cycle))
    choose, needs = chooser(query, first)
    model = None if first else asked_model(before, settings, cycle)
    sources = Sources(before, plan.candidates, settings, cycle, model)
    return plan.choose(choose, gather(sources, plan.budget, needs))


def map_query(
    images: Images, query: pd.DataFrame, network: Network, settings: Parameters
) -> dict[str, np.ndarray]:
    """Return what the model that chose a query saw in its first images.

    `predictions` and `uncertainties`, 0 to 255, both uint8 (images, height, width). Nothing for
    tasks that answer once an image.
    """
    task = TASKS[settings.main.task]
    if not task.dense:
        return {}
    model = Model(network, images, settings.engine.hardware)
    ids = query["id"].head(MAPPED)
    measure = MEASURES.get(settings.query.measure, MEASURES["entropy"])
    predictions = model.ask(task.outputs, ids, "map")
    uncertainties = model.ask(partial(task.uncertainty_map, measure=measure), ids, "score")
    scaled = 255 * uncertainties / max(float(uncertainties.max()), 1e-9)
    return {"predictions": predictions, "uncertainties": scaled.astype(np.uint8)}


def draw_slices(
    ranking: StoredTable, start_label_set: pd.DataFrame, settings: Parameters
) -> pd.DataFrame:
    """Return the images that no strategy may choose, in the order that slices take: `id`."""
    ids = ranking.read(["id"])["id"]
    unlabelled = ids[~ids.isin(start_label_set["id"])].sort_values()
    share = settings.control.share
    return set_apart(
        unlabelled, settings.cycles.budgets, share, stream(settings.run.seed, "control")
    )


def explain_query(
    query: pd.DataFrame, settings: Parameters, *, cycle: int, **state: Any
) -> pd.DataFrame:
    """Return why each new image of a query was chosen; see `selection.explain` and `selection.why`.

    `state` has the fields of `CycleState`.
    """
    before = CycleState(**state)
    features = before.features
    if "role" in query:
        query = query[query["role"] != RELABEL].reset_index(drop=True)
    every = features.view(np.arange(len(features)))
    ranking = before.ranking.portions(["id", "pretext_loss", "batch"])
    reasons = explain(query, ranking, before.label_set["id"], features.find, every)
    grounds = query_grounds(settings.query, before, cycle)
    probabilities = None
    if grounds.needs_likely and not TASKS[settings.main.task].dense:
        normalise = settings.query.normalise_logits and grounds.measure in MEASURES
        asked = partial(
            TASKS[settings.main.task].uncertainty, measure=as_they_are, normalise=normalise
        )
        model = asked_model(before, settings, cycle)
        probabilities = model.ask(asked, query["id"], "explain")
    return add_grounds(reasons, query, grounds, probabilities, before.classes)


def suggest(
    images: Images, query: pd.DataFrame, network: Network, classes: list[str], settings: Parameters
) -> pd.DataFrame:
    """Return the newest model's guess for each image of a query; nothing for masks.

    Columns `id`, `label`, `probability`, and `likely`: JSON, the likeliest classes and their
    probabilities, the first of them the guess.
    """
    if TASKS[settings.main.task].dense:
        return pd.DataFrame(columns=["id", "label", "probability", "likely"])
    model = Model.enter(network, images, classes, settings)
    probabilities = model.ask(classification.class_probabilities, query["id"], "suggest")
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :LIKELY]
    likely = []
    for row, best in zip(probabilities, order, strict=True):
        likely.append([[classes[number], round(float(row[number]), 4)] for number in best])
    return query[["id"]].assign(
        label=np.array(classes, object)[order[:, 0]],
        probability=probabilities.max(axis=1),
        likely=[json.dumps(pairs) for pairs in likely],
    )


def ask(query: pd.DataFrame, recorded_labels: pd.DataFrame) -> pd.DataFrame:
    """Return the recorded labels of a query's images, with their roles if the query has some."""
    answers = recorded_answers(recorded_labels, query["id"])
    if "role" in query:
        answers = answers.assign(role=query["role"].array)
    return answers


def ask_people(
    query: pd.DataFrame,
    label_set: pd.DataFrame,
    answer_log: AnswerLog,
    oracle: Oracle,
    asked: pd.DataFrame | None = None,
    *,
    cycle: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return people's answers, with late ones and corrections, and all that was asked so far."""
    asked = none_asked() if asked is None else asked
    people = HumanOracle(answer_log, Policy(oracle.annotators, oracle.disagreement, oracle.skipped))
    return people.label(query, label_set, asked, cycle, oracle.go_on.share, oracle.go_on.after)


def extend_label_set(
    label_set: pd.DataFrame,
    answers: pd.DataFrame,
    classes: list[str],
    query: Query,
    *,
    cycle: int,
    chosen_by: str | None = None,
) -> pd.DataFrame:
    """Return the label set, grown by the answers, and with what people have corrected.

    `chosen_by` says what chose the query, where that was not what `query` says.
    """
    why = chosen_by or (query.by_measure_or_strategy if cycle else query.start)
    if "role" in answers:
        corrected = answers["role"] == CORRECTION
        label_set = correct(label_set, answers[corrected])
        answers = answers[~corrected]
        why = np.where(answers["role"] == CONTROL, CONTROL, why)
    grown = extend(label_set, answers, cycle, why)
    check(grown, classes)
    return grown


def find_suspects(
    features: Features,
    label_set: pd.DataFrame,
    classes: list[str],
    settings: Parameters,
    *,
    cycle: int,
) -> pd.DataFrame:
    """Return how likely each label is wrong; see `features.suspects`. Control images are left out.

    Corrected where a model disagrees, they would flatter it.
    """
    learnt = trained_on(label_set, cycle, settings.control.train)
    targets = classification.targets(learnt["label"], classes).numpy()
    vectors = features.gather(features.rows(learnt["id"])).numpy()
    rng = stream(settings.run.seed, "suspects", cycle)
    table = suspects.find_suspects(learnt["id"], vectors, targets, classes, rng)
    measuring = label_set["id"][label_set["why"] == CONTROL]
    return table[~table["id"].isin(measuring)].reset_index(drop=True)


def audit(
    images: Images,
    answers: pd.DataFrame,
    network: Network,
    ranking: StoredTable,
    classes: list[str],
    settings: Parameters,
) -> pd.DataFrame:
    """Return both losses of images just labelled, by the model that has not seen them.

    Columns `id`, `pretext_loss`, `main_loss`.
    """
    task = TASKS[settings.main.task]
    if "role" in answers:  # a corrected image has been trained on
        answers = answers[answers["role"] != CORRECTION].reset_index(drop=True)
    targets = task.targets(answers["label"], classes)
    model = Model.enter(network, images, classes, settings)
    losses = model.ask(task.loss, answers["id"], "audit", targets)
    ranked = ranking.of(answers["id"], ["id", "pretext_loss"])
    return answers[["id"]].merge(ranked, on="id").assign(main_loss=losses)


def train(
    images: Images,
    label_set: pd.DataFrame,
    classes: list[str],
    previous: Network,
    trunk: Network,
    settings: Parameters,
    *,
    cycle: int,
) -> tuple[Network, pd.DataFrame]:
    """Return the main network, trained on the labels that don't measure it, and its training curve.

    `trunk` is the network that `main.start_from` names: of the pretext task, or of the features.
    """
    learnt = trained_on(label_set, cycle, settings.control.train)
    if learnt.empty:
        raise InputError(f"cycle {cycle}: there is no label to train on, {SKIPPED_ALL}")
    lesson = Lesson.make(images, learnt, classes, settings)
    run = settings.run
    rng = stream(run.seed, f"main, repeat {run.repeat}" if run.repeat else "main", cycle)
    carried = previous if settings.main.start_from == "previous_cycle" and cycle else None
    return learn(lesson, trunk, carried, settings, rng, f"cycle {cycle}")


def train_again(
    images: Images,
    label_set: pd.DataFrame,
    classes: list[str],
    trunk: Network,
    settings: Parameters,
    *,
    cycle: int,
) -> Network:
    """Return the main network of the cycle before, as it would be with today's settings.

    The one there is was trained with others, and can't be asked with these.
    """
    learnt = trained_on(label_set, cycle - 1, settings.control.train)
    lesson = Lesson.make(images, learnt, classes, settings)
    rng = stream(settings.run.seed, "main again", cycle)
    network, _ = learn(lesson, trunk, None, settings, rng, f"before cycle {cycle}")
    return network


def evaluate(
    network: Network,
    test_images: Images,
    test_labels: pd.DataFrame,
    classes: list[str],
    label_set: pd.DataFrame,
    settings: Parameters,
    asked: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return what the cycle's network takes the test split for, and its metrics.

    Once, when its training has ended. The first table has the images' `id`, if its rows are images,
    and the columns of `Task.outcomes`. `labels` is what `annotation.oracle.labels_given` returns.
    The metrics of masks have the interval of mean IoU, `low` and `high`, by the bootstrap over
    images; that of a share follows from their number.
    """
    outputs, targets = _tested(network, test_images, test_labels, classes, settings)
    task = TASKS[settings.main.task]
    outcomes = _with_ids(task.outcomes(outputs, targets, classes), test_labels["id"])
    given = labels_given(label_set, asked)
    metrics = {"labels": given, **task.evaluate(outputs, targets, classes)}
    if task.dense:
        metric = segmentation.mean_iou_of(outputs, targets, classes)
        rng = stream(0, "test interval")  # of the same images for every run
        metrics |= intervals.resampled(len(targets), metric, rng)
    return outcomes, metrics


def evaluate_probe(
    features: Features,
    test_features: Features,
    test_labels: pd.DataFrame,
    label_set: pd.DataFrame,
    classes: list[str],
    settings: Parameters,
    *,
    cycle: int,
) -> dict[str, float]:
    """Return the test metrics of a linear probe of features that has the network's labels."""
    learnt = trained_on(label_set, cycle, settings.control.train)
    network = fit_probe(features, learnt, classes, settings)
    outputs, targets = _tested(network, test_features, test_labels, classes, settings)
    metrics = TASKS[settings.main.task].evaluate(outputs, targets, classes)
    return {"labels": len(label_set), **metrics}


def evaluate_control(
    network: Network,
    images: Images,
    label_set: pd.DataFrame,
    classes: list[str],
    settings: Parameters,
    asked: pd.DataFrame | None = None,
    *,
    cycle: int,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return what the cycle's network takes its control images for, and its metrics on them.

    The network has not learnt from them. With the interval of the task's metric, `low` and `high`;
    `labels` as in `evaluate`.
    """
    task = TASKS[settings.main.task]
    drawn = measured_on(label_set, cycle, settings.control.train)
    counts = {"labels": labels_given(label_set, asked), "images": len(drawn)}
    if drawn.empty:
        unmeasured = pd.DataFrame(columns=["id", "label", "predicted"], dtype=object)
        return unmeasured, counts | {task.metric: None, "low": 0.0, "high": 1.0}
    targets = task.targets(drawn["label"], classes)
    model = Model.enter(network, images, classes, settings)
    outputs = model.ask(task.outputs, drawn["id"], "control")
    outcomes = _with_ids(task.outcomes(outputs, targets, classes), drawn["id"])
    counts |= task.evaluate(outputs, targets, classes)
    if not task.dense:
        right = int((outputs.argmax(axis=1) == targets.numpy()).sum())
        return outcomes, counts | intervals.share(right, len(targets))
    metric = segmentation.mean_iou_of(outputs, targets, classes)
    rng = stream(settings.run.seed, "control interval", cycle)
    return outcomes, counts | intervals.resampled(len(targets), metric, rng)


def measure_control(
    network: Network,
    images: Images,
    label_set: pd.DataFrame,
    classes: list[str],
    settings: Parameters,
    asked: pd.DataFrame | None = None,
    *,
    cycle: int,
) -> dict[str, float]:
    """Return the metrics of `evaluate_control` alone."""
    return evaluate_control(network, images, label_set, classes, settings, asked, cycle=cycle)[1]


def take_control(control: dict[str, float]) -> dict[str, float]:
    """Return the control slice's metrics, where there is no test split, as the cycle's."""
    return control


def _tested(
    network: Network,
    test_images: Images,
    test_labels: pd.DataFrame,
    classes: list[str],
    settings: Parameters,
) -> tuple[np.ndarray, torch.Tensor]:
    """Return the network's outputs for the test split, and what they should be."""
    task = TASKS[settings.main.task]
    model = Model.enter(network, test_images, classes, settings)
    outputs = model.ask(task.outputs, test_labels["id"], "evaluate")
    return outputs, task.targets(test_labels["label"], classes)


def _with_ids(outcomes: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """Return outcomes with their images' ids, where there is a row an image."""
    if "pixels" in outcomes:
        return outcomes
    outcomes.insert(0, "id", ids.to_numpy())
    return outcomes
