"""A whole run by a plain script: no Kedro, no MLflow, no DVC.

    python benchmarks/plain.py [--env tiny] [--params run.seed=3,engine.precision=fp32] [--output FOLDER]

A classification. Reads the same parameters and asks for the same labels as `kedro run` does; ends with one line of
JSON: the run's precision, its seconds by stage, and a hash of each query's ids.
"""

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas as pd
import torch

import configuration
from configuration import ROOT
from pt4al.images.building import build
from pt4al.images.pool import open_pool
from pt4al.images.sources import SOURCES
from pt4al.images.splits import divide
from pt4al.labelling import label_set as labelling
from pt4al.labelling.oracle import Recorded
from pt4al.parameters import Parameters
from pt4al.pipelines.pool.nodes import inspect, report_intake
from pt4al.pipelines.report.nodes import collect_audit, collect_curve, draw, write_page
from pt4al.pretext import PRETEXT_TASKS
from pt4al.randomness import stream, torch_generator
from pt4al.selection import query as selection
from pt4al.selection import ranking as ranks
from pt4al.selection.uncertainty import MEASURES, RANDOM
from pt4al.training import networks
from pt4al.training.engine import fit, predict
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification


class PlainRun:
    """The stations of an image's walk, in their order; what one makes, the next ones find here."""

    def __init__(self, settings: Parameters, folder: Path):
        self.settings, self.folder, self.seconds = settings, folder, {}
        self.pretext_task = PRETEXT_TASKS[settings.pretext.task]
        self.hardware = Hardware(settings.engine.device, settings.engine.precision)
        self.queries, self.metrics, self.audits, self.label_set = [], [], [], labelling.empty()

    def run(self) -> None:
        """Do all of it."""
        with self.stage("pool"):
            self.read()
            self.intake()
        with self.stage("pretext"):
            self.pretext()
        with self.stage("ranking"):
            self.rank()
        for cycle in range(self.settings.cycles.number):
            with self.stage(f"cycle_{cycle}"):
                self.cycle(cycle)
        with self.stage("report"):
            self.report()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)

    def read(self) -> None:
        """Decode pool and test split; keep labels and the names of the classes."""
        block = self.settings.pool
        collection = SOURCES[block.source.kind](str(ROOT / block.source.path)).named(block.classes)
        parts = divide(collection, block.test)
        train, test = (parts[split].sample(getattr(block.limit, split)) for split in ("train", "test"))
        build(train, self.folder / "pool", block)
        self.pool, self.recorded, self.classes = open_pool(self.folder / "pool"), train.labels, train.classes
        build(test, self.folder / "test_pool", block, frame=self.pool.frame)
        self.test_pool, self.test_labels = open_pool(self.folder / "test_pool"), test.labels

    def intake(self) -> None:
        self.problems, self.duplicates = inspect(self.pool, self.test_pool)
        labels, found = (self.recorded, self.test_labels), (self.problems, self.duplicates)
        shown = report_intake(self.pool, self.test_pool, *labels, *found, self.settings.pool)
        (self.folder / "intake.html").write_text(shown, encoding="utf-8")

    def pretext(self) -> None:
        block, rng = self.settings.pretext, stream(self.settings.run.seed, "pretext")
        outputs, loss = self.pretext_task.outputs, self.pretext_task.loss
        network = networks.build(block.network, outputs, self.pool.mean, self.pool.std, torch_generator(rng))
        fit(network, loss, self.pool, block.schedule, rng, self.hardware, augment=block.augment)
        self.pretext_network, self.losses = network, predict(network, loss, self.pool, self.hardware)
        networks.save(network, self.folder / "pretext_network.safetensors")

    def rank(self) -> None:
        rng = stream(self.settings.run.seed, "ranking")
        ranked = ranks.rank(self.pool.ids, self.losses, self.settings.ranking.order, rng)
        self.ranking = self.write(ranks.split(ranked, self.settings.cycles.number), "ranking")

    def cycle(self, cycle: int) -> None:
        query = self.write(self.query(cycle), f"query_{cycle}")
        answers = Recorded(self.recorded).label(query["id"])
        if cycle:
            self.audit(cycle, answers)
        why = self.settings.query.measure if cycle else self.settings.query.start
        grown = labelling.extend(self.label_set, answers, cycle, why)
        self.label_set = self.write(grown, f"label_set_{cycle}")
        self.network = self.train(cycle)
        networks.save(self.network, self.folder / f"network_{cycle}.safetensors")
        self.queries.append(query)
        self.metrics.append({"labels": len(self.label_set), **self.evaluate()})

    def query(self, cycle: int) -> pd.DataFrame:
        block, budget = self.settings.query, self.settings.cycles.budget
        rng = stream(self.settings.run.seed, "query", cycle)
        candidates = selection.candidates(self.ranking, self.label_set["id"], block.scope, cycle)
        if cycle == 0:
            return selection.start(candidates, block.start, budget, rng)
        if block.measure == RANDOM:
            return selection.choose(candidates, rng.random(len(candidates)), budget)
        measure = partial(classification.uncertainty, measure=MEASURES[block.measure], normalise=block.normalise_logits)
        rows = self.pool.rows(candidates["id"])
        return selection.choose(candidates, predict(self.network, measure, self.pool, self.hardware, rows), budget)

    def audit(self, cycle: int, answers: pd.DataFrame) -> None:
        targets, rows = classification.targets(answers["label"], self.classes), self.pool.rows(answers["id"])
        losses = predict(self.network, classification.loss, self.pool, self.hardware, rows, targets)
        pretext = self.ranking[["id", "pretext_loss"]]
        self.audits.append(answers[["id"]].merge(pretext, on="id").assign(main_loss=losses))

    def train(self, cycle: int) -> Network:
        block, rng = self.settings.main, stream(self.settings.run.seed, "main", cycle)
        pool, rows = self.pool, self.pool.rows(self.label_set["id"])
        network = networks.build(block.network, len(self.classes), pool.mean, pool.std, torch_generator(rng))
        if block.start_from == "pretext":
            networks.copy_trunk(self.pretext_network, network)
        elif block.start_from == "previous_cycle" and cycle:
            network.load_state_dict(self.network.state_dict())
        targets = classification.targets(self.label_set["label"], self.classes)
        weights = None
        if block.class_weights == "median_frequency":
            weights = classification.class_weights(targets, len(self.classes))
        loss = partial(classification.loss, weights=weights)
        fit(network, loss, pool, block.schedule, rng, self.hardware, rows, targets, block.augment)
        return network

    def evaluate(self) -> dict[str, float]:
        rows = self.test_pool.rows(self.test_labels["id"])
        outputs = predict(self.network, classification.outputs, self.test_pool, self.hardware, rows)
        targets = classification.targets(self.test_labels["label"], self.classes)
        return classification.evaluate(outputs, targets, self.classes)

    def report(self) -> None:
        (curve, _), audit = collect_curve(self.pool, *self.metrics), collect_audit(*self.audits)
        timings = pd.DataFrame(
            [{"stage": stage, "node": stage, "seconds": taken} for stage, taken in self.seconds.items()]
        )
        settings, asked = self.settings.model_dump(), [*self.queries, *({} for _ in self.queries[1:])]  # no maps
        tables = (self.ranking, self.label_set, self.classes, curve, audit, {}, timings)
        pictures = draw(self.pool, *tables, settings, *asked)
        shown = write_page(pictures, curve, audit, {}, timings, self.problems, self.duplicates, settings)
        (self.folder / "report.html").write_text(shown, encoding="utf-8")

    def write(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        table.to_parquet(self.folder / f"{name}.parquet", index=False)
        return table


def digest(ids: pd.Series) -> str:
    """Return a short hash of a query's ids, in their order."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--env", default="local")
    arguments.add_argument("--params", default="")
    arguments.add_argument("--output", type=Path, help="keep the files here; by default they are thrown away")
    options = arguments.parse_args()
    settings = configuration.read(options.env, options.params)
    torch.set_num_threads(settings.engine.threads)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.output or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        run = PlainRun(settings, folder)
        run.run()
    facts = {
        "precision": settings.engine.precision,
        "accuracy": [round(found["accuracy"], 4) for found in run.metrics],
        "seconds": run.seconds,
        "queries": [digest(query["id"]) for query in run.queries],
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
