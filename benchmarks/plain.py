"""A whole active-learning run from top to bottom, by the core alone: no Kedro, no MLflow, no DVC.

    python benchmarks/plain.py [--env tiny] [--params run.seed=3,query.strategy=badge] [--output FOLDER]

Reads the parameters that `kedro run` reads, asks for the same labels and reaches the same accuracy. Ends with one line
of JSON: the precision, each cycle's accuracy, a hash of each query's ids.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

import configuration
from pt4al.errors import InputError
from pt4al.features.store import compute_from_pool
from pt4al.features.vectors import open_features
from pt4al.images.building import build
from pt4al.images.pool import open_pool
from pt4al.images.sources import SOURCES
from pt4al.images.splits import divide
from pt4al.labels import label_set as labelling
from pt4al.labels.recorded import recorded_answers
from pt4al.plots.run import learning_curve
from pt4al.plots.style import png
from pt4al.pretext import PRETEXT_TASKS
from pt4al.project.configuration.dotted import flat
from pt4al.project.configuration.parameters import Parameters
from pt4al.randomness import stream, torch_generator
from pt4al.selection import candidates as selection
from pt4al.selection import ranking
from pt4al.selection.evidence import Evidence
from pt4al.selection.ranked import RankedRows
from pt4al.selection.strategies import STRATEGIES
from pt4al.selection.uncertainty import MEASURES, RANDOM
from pt4al.training import networks
from pt4al.training.engine import Loss, Training, fit, predict
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification

# What this leaves out, to stay plain: settings that must have one of these values.
ONLY = {
    "run.repeat": [0],
    "features.network": ["pretext"],
    "query.model": ["main"],
    "pool.imbalance.kind": ["none"],
    "pretext.task": ["rotation", "jigsaw", "simsiam"],
    "pretext.start_from": ["fresh"],
    "pretext.losses": ["in_sample"],
    "query.measure": [*MEASURES, RANDOM],
    "query.balance": [False],
    "oracle.kind": ["recorded"],
    "control.share": ["auto", 0],
    "main.task": ["classification"],
    "main.start_from": ["fresh", "pretext", "previous_cycle"],
    "main.frozen": [0],
    "main.dropout": [0],
    "main.class_weights": ["none"],
}


class Run:
    """The stations of an image's walk, in their order; what one makes, the next ones find here."""

    def __init__(self, settings: Parameters, folder: Path):
        self.settings = settings
        self.folder = folder
        self.hardware = Hardware(settings.engine.device, settings.engine.precision)
        self.label_set = labelling.empty()
        self.queries: list[str] = []  # a hash of each one's ids
        self.metrics: list[dict[str, float]] = []

    def run(self) -> None:
        """Do all of it."""
        self.read()
        self.pretext_network = self.train_pretext()
        compute_from_pool(self.pool, self.pretext_network, self.folder / "features", self.hardware)
        self.seen = open_features(self.folder / "features")
        self.ranking = self.rank()
        for cycle in range(self.settings.cycles.number):
            query = self.choose(cycle)
            answers = recorded_answers(self.recorded_labels, query["id"])
            if cycle:
                self.audit = self.compare_losses(answers)
            self.label_set = labelling.extend(self.label_set, answers, cycle, why="asked")
            self.network = self.train(cycle)
            self.queries.append(digest(query["id"]))
            self.metrics.append({"labels": len(self.label_set), **self.evaluate()})
            self.report(cycle)

    def read(self) -> None:
        """Decode the pool and the test split, once; labels go to the oracle and to the evaluation."""
        settings = self.settings.pool
        path = configuration.ROOT / settings.source.path
        collection = SOURCES[settings.source.kind](str(path)).named(settings.classes)
        parts = divide(collection, settings.test)
        train = parts["train"].sample(settings.limit.train)
        test = parts["test"].sample(settings.limit.test)
        build(train, self.folder / "pool", settings)
        self.pool = open_pool(self.folder / "pool")
        build(test, self.folder / "test_pool", settings, frame=self.pool.frame)
        self.test_pool = open_pool(self.folder / "test_pool")
        self.recorded_labels = train.labels
        self.test_labels = test.labels[test.labels["id"].isin(self.test_pool.ids)]
        self.classes = train.classes

    def train_pretext(self) -> Network:
        """Train a network on the whole pool without a label: to tell by how much an image was turned."""
        settings = self.settings.pretext
        task = PRETEXT_TASKS[settings.task]
        rng = self.rng("pretext")
        weights = torch_generator(rng)
        network = networks.build(
            settings.network, task.outputs, (self.pool.mean, self.pool.std), weights, head=task.head
        )
        fit(network, task.loss, self.pool, Training(settings.schedule, rng, augment=settings.augment), self.hardware)
        return network

    def rank(self) -> pd.DataFrame:
        """Sort the pool by pretext loss and cut it into a batch a cycle: `id`, `pretext_loss`, `rank`, `batch`."""
        settings = self.settings.ranking
        rng = self.rng("ranking")
        losses = PRETEXT_TASKS[self.settings.pretext.task].score(self.pretext_network, self.pool, self.hardware)
        rows = ranking.draw(len(losses), settings.share, self.rng("ranking share"))
        ranked = ranking.rank(self.pool.ids.iloc[rows], losses[rows], settings.order, rng)
        return ranking.split(ranked, self.settings.cycles.number, settings.batches, settings.drop, rng)

    def choose(self, cycle: int) -> pd.DataFrame:
        """Return the images to ask for, the most wanted first: `id`, `score`, `batch`."""
        settings = self.settings.query
        budget = self.settings.cycles.budgets[cycle]
        ranked = RankedRows.gather([self.ranking], self.pool.rows, len(self.pool))
        candidates = ranked.unlabelled(self.pool.rows(self.label_set["id"]), settings.scope, cycle)
        candidates = candidates.assign(id=self.pool.ids.iloc[candidates["id"]].array)
        selection.check_enough(candidates, budget)
        if cycle == 0 and settings.start in selection.STARTS:
            return selection.start(candidates, settings.start, budget, self.rng("query"))
        strategy = STRATEGIES[settings.strategy](**settings.options)
        if cycle == 0:  # one that can do with the pretext network's features: there is no other network yet
            strategy = STRATEGIES[settings.start]()
        evidence = Evidence(
            budget=budget,
            rng=self.rng("strategy", cycle),
            cycle=cycle,
            classes=len(self.classes),
            batches=candidates["batch"].to_numpy(),
            losses=candidates["pretext_loss"].to_numpy(),
            **{need: getattr(self, need)(cycle, candidates["id"]) for need in strategy.needs},
        )
        return selection.pick(candidates, strategy.choose(evidence), evidence.scores)

    # What strategies may need to know of the candidates. They see no label that was not asked for.

    def scores(self, cycle: int, ids: pd.Series) -> np.ndarray:
        """How uncertain the newest network is of each candidate."""
        settings = self.settings.query
        if settings.measure == RANDOM:
            return self.rng("query", cycle).random(len(self.pool))[self.pool.rows(ids)]
        measure = MEASURES[settings.measure]
        uncertainty = partial(classification.uncertainty, measure=measure, normalise=settings.normalise_logits)
        return self.predict(self.network, uncertainty, ids)

    def probabilities(self, cycle: int, ids: pd.Series) -> np.ndarray:
        """The newest network's probability of each class."""
        return self.predict(self.network, classification.class_probabilities, ids)

    def features(self, cycle: int, ids: pd.Series) -> np.ndarray:
        """Features by the newest network, or by the pretext network: before the first query there is no other."""
        if cycle > 0 and self.settings.query.features == "main":
            return self.predict(self.network, Network.features, ids)
        return self.seen.view(self.seen.rows(ids))

    def labelled(self, cycle: int, ids: pd.Series) -> np.ndarray:
        """The same features of the images that have a label."""
        if cycle == 0:
            return self.features(cycle, ids[:1])[:0]
        return self.features(cycle, self.label_set["id"])

    def compare_losses(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Audit the ranking: pretext loss and main loss of images just labelled, which the network has not seen."""
        targets = classification.targets(answers["label"], self.classes)
        main_loss = self.predict(self.network, classification.loss, answers["id"], targets)
        return answers[["id"]].merge(self.ranking[["id", "pretext_loss"]], on="id").assign(main_loss=main_loss)

    def train(self, cycle: int) -> Network:
        """Train a network on the label set."""
        settings = self.settings.main
        rng = self.rng("main", cycle)
        weights = torch_generator(rng)
        network = networks.build(settings.network, len(self.classes), (self.pool.mean, self.pool.std), weights)
        if settings.start_from == "pretext":
            networks.copy_trunk(self.pretext_network, network)
        elif settings.start_from == "previous_cycle" and cycle:
            network.load_state_dict(self.network.state_dict())
        rows = self.pool.rows(self.label_set["id"])
        targets = classification.targets(self.label_set["label"], self.classes)
        training = Training(settings.schedule, rng, settings.augment)
        fit(network, classification.loss, self.pool, training, self.hardware, rows, targets)
        return network

    def evaluate(self) -> dict[str, float]:
        """Return the metrics on the test split, which nothing else opens."""
        rows = self.test_pool.rows(self.test_labels["id"])
        targets = classification.targets(self.test_labels["label"], self.classes)
        logits = predict(self.network, classification.outputs, self.test_pool, self.hardware, rows)
        return classification.evaluate(logits, targets, self.classes)

    def report(self, cycle: int) -> None:
        """Keep the labels, the network and the learning curve so far."""
        self.label_set.to_parquet(self.folder / f"label_set_{cycle}.parquet")
        networks.save(self.network, self.folder / f"network_{cycle}.safetensors")
        curve = pd.DataFrame(self.metrics)
        curve.to_csv(self.folder / "learning_curve.csv", index=False)
        picture = learning_curve({self.settings.run.name: curve})
        (self.folder / "learning_curve.png").write_bytes(png(picture))

    def rng(self, purpose: str, cycle: int = 0) -> np.random.Generator:
        """Return the run's random numbers for one purpose in one cycle."""
        return stream(self.settings.run.seed, purpose, cycle)

    def predict(self, network: Network, function: Loss, ids: pd.Series, *targets: torch.Tensor) -> np.ndarray:
        """Return a function of the network and each of these images of the pool."""
        return predict(network, function, self.pool, self.hardware, self.pool.rows(ids), *targets)


def check(settings: Parameters) -> None:
    """Raise InputError if the settings ask for what is left out here."""
    values = flat(settings.model_dump())
    for name, known in ONLY.items():
        if values[name] not in known:
            choice = " or ".join(map(str, known))
            raise InputError(f"`{name}` is {values[name]}, which a plain run leaves out: it knows {choice}")


def digest(ids: pd.Series) -> str:
    """Return a short hash of a query's ids, in their order."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--env", default="fashion_mnist_small")
    arguments.add_argument("--params", default="", help="as for kedro run")
    arguments.add_argument("--output", type=Path, help="keep the files here; by default they are thrown away")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.output or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            settings = configuration.read(options.env, options.params)
            check(settings)
            torch.set_num_threads(settings.engine.threads)
            threadpool_limits(settings.engine.threads)  # of numpy and scikit-learn
            run = Run(settings, folder)
            run.run()
        except InputError as error:
            sys.exit(str(error))
    accuracy = [metrics["accuracy"] for metrics in run.metrics]
    print(json.dumps({"precision": settings.engine.precision, "accuracy": accuracy, "queries": run.queries}))


if __name__ == "__main__":
    main()
