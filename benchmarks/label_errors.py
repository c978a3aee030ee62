"""Study: which wrong labels are found, and what asking for them again is worth beside asking for new images.

    python benchmarks/label_errors.py --data fashion_mnist_small [--source path] [--folder path] [--quick]

Labels of images drawn at random are made wrong: a share of them, to any other class or to the class that a probe
confuses theirs with most. Then `pt4al.features.suspects` looks at them, and a tenth of the labels, at most, is asked
for again: the most suspicious. Beside it the same number of labels is spent on new images, chosen by margin. Answers
are right, or wrong as often as before (columns `..._erring`). Accuracy is a linear probe's on the test split, in
percent. One row of `<folder>/<data>.csv` for each number of labels, kind of error, share and seed; rows that are there
are not made again, and features are computed once. `--quick` tries it at a size that says nothing.
"""

import argparse
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import configuration
from pt4al.features import backbones, store
from pt4al.features.probe import fit
from pt4al.features.suspects import cross_fitted, find_suspects
from pt4al.features.vectors import open_features
from pt4al.files.whole import replacing
from pt4al.pipelines.pool.nodes import collect
from pt4al.project.configuration.identity import fingerprint
from pt4al.project.configuration.parameters import Parameters
from pt4al.randomness import stream
from pt4al.selection.uncertainty import MEASURES
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification

SIZES = [200, 1000]  # labels
SHARES = [0.05, 0.1, 0.2]  # wrong ones
KINDS = ["random", "confusable"]
ASKED = 0.1  # of the labels, asked for again
IMAGES = {"train": 10_000, "test": 4000}
CONFUSED = 2000  # images whose right labels say which classes are confused
KEY = ["data", "labels", "kind", "share", "seed"]
SHOWN = {
    "found": "found",
    "precision": "of found wrong, %",
    "recall": "of all wrong, %",
    "asked": "asked again",
    "precision_asked": "of asked wrong, %",
    "before": "accuracy",
    "again": "accuracy, asked again",
    "new": "accuracy, new images",
    "again_erring": "accuracy, asked again, erring",
    "new_erring": "accuracy, new images, erring",
    "clean": "accuracy, no label wrong",
}


@dataclass(frozen=True)
class Data:
    """Features (N, width) and right classes (N,) of a pool and of its test split."""

    features: np.ndarray
    targets: np.ndarray
    test_features: np.ndarray
    test_targets: np.ndarray
    classes: int

    def probe(self, rows: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return fit(self.features[rows], targets, self.classes)[:2]

    def accuracy(self, rows: np.ndarray, targets: np.ndarray) -> float:
        """Return the test accuracy of a probe of these labels, in percent."""
        weight, bias = self.probe(rows, targets)
        right = (self.test_features @ weight.T + bias).argmax(axis=1) == self.test_targets
        return 100 * float(right.mean())

    def confused(self) -> np.ndarray:
        """Return the class that each class is taken for most often, (classes,)."""
        rng = stream(0, "confused")
        rows = rng.permutation(len(self.targets))[:CONFUSED]
        taken = cross_fitted(self.features[rows], self.targets[rows], self.classes, rng).argmax(axis=1)
        counts = np.zeros((self.classes, self.classes))
        np.add.at(counts, (self.targets[rows], taken), 1)
        np.fill_diagonal(counts, -1)
        return counts.argmax(axis=1)


@dataclass(frozen=True)
class Annotator:
    """Somebody whose answers are wrong, a share of them."""

    share: float
    classes: int
    confused: np.ndarray | None
    rng: np.random.Generator

    def answer(self, targets: np.ndarray) -> np.ndarray:
        """Return answers on images of these classes; exactly the share of them is wrong."""
        said = targets.copy()
        wrong = self.rng.choice(len(targets), round(self.share * len(targets)), replace=False)
        if self.confused is None:
            said[wrong] = (said[wrong] + self.rng.integers(1, self.classes, len(wrong))) % self.classes
        else:
            said[wrong] = self.confused[said[wrong]]
        return said


def measure(data: Data, labels: int, annotator: Annotator) -> dict[str, float]:
    """Return what is found among so many labels, and the accuracies of what can be done then."""
    rng = annotator.rng
    order = rng.permutation(len(data.targets))
    rows, free = order[:labels], order[labels:]
    truth = data.targets[rows]
    said = annotator.answer(truth)
    ids = pd.Series(np.arange(labels).astype(str))
    names = [str(number) for number in range(data.classes)]
    suspects = find_suspects(ids, data.features[rows], said, names, rng)
    places = suspects["id"][suspects["suspicious"]].to_numpy(np.int64)
    asked = places[: round(ASKED * labels)]
    wrong = said != truth
    again = said.copy()
    again[asked] = truth[asked]
    erring = said.copy()
    erring[asked] = annotator.answer(truth[asked])
    new = free[_by_margin(data, rows, said, free)[: len(asked)]]
    more = np.concatenate([rows, new])
    return {
        "judged": len(suspects),
        "wrong": int(wrong.sum()),
        "found": len(places),
        "precision": 100 * _share(wrong[places]),
        "recall": 100 * wrong[places].sum() / wrong.sum() if wrong.any() else np.nan,
        "asked": len(asked),
        "precision_asked": 100 * _share(wrong[asked]),
        "clean": data.accuracy(rows, truth),
        "before": data.accuracy(rows, said),
        "again": data.accuracy(rows, again),
        "new": data.accuracy(more, np.concatenate([said, data.targets[new]])),
        "again_erring": data.accuracy(rows, erring),
        "new_erring": data.accuracy(more, np.concatenate([said, annotator.answer(data.targets[new])])),
    }


def _by_margin(data: Data, rows: np.ndarray, said: np.ndarray, free: np.ndarray) -> np.ndarray:
    weight, bias = data.probe(rows, said)
    probabilities = torch.from_numpy(data.features[free] @ weight.T + bias).softmax(1)
    return np.argsort(-MEASURES["margin"](probabilities).numpy(), kind="stable")


def _share(wrong: np.ndarray) -> float:
    return float(wrong.mean()) if len(wrong) else float("nan")


def load(settings: Parameters, images: dict[str, int], folder: Path) -> Data:
    """Return the features and labels of a source's pictures, computed once."""
    file = folder / f"features_{fingerprint(settings.pool)}.npz"
    if not file.exists():
        arrays = {"classes": np.array(0)}
        for split, part in collect(settings.pool).items():
            prefix = "test_" if split == "test" else ""
            labels = part.labels.set_index("id")["label"]
            chosen = stream(0, split).permutation(len(part.index))[: images[split]]
            ids = part.index["id"].iloc[np.sort(chosen)].reset_index(drop=True)
            place = folder / f"{file.stem}_{split}"
            backbone = backbones.load(backbones.LITE0)
            store.compute(part, ids, backbone, place, Hardware("cpu", "fp32"))
            features = open_features(place)
            arrays[f"{prefix}features"] = features.gather(features.rows(ids)).numpy()
            arrays[f"{prefix}targets"] = classification.targets(labels.loc[ids], part.classes).numpy()
            arrays["classes"] = np.array(len(part.classes))
        with replacing(file) as temporary, temporary.open("wb") as opened:
            np.savez(opened, **arrays)
    with np.load(file) as arrays:
        found = dict(arrays)
    return Data(**found | {"classes": int(found["classes"])})


def study(name: str, data: Data, sizes: list[int], seeds: int, table: Path) -> pd.DataFrame:
    """Make the rows that are missing in `table`, and return all of them."""
    confused = data.confused()
    # Without a wrong label first: what is found then is a false alarm.
    errors = [("random", 0.0), *product(KINDS, SHARES)]
    for labels, (kind, share), seed in product(sizes, errors, range(seeds)):
        key = dict(zip(KEY, (name, labels, kind, share, seed), strict=True))
        if _known(table, key):
            continue
        rng = stream(seed, f"label errors, {labels}, {kind}, {share}")
        annotator = Annotator(share, data.classes, confused if kind == "confusable" else None, rng)
        row = {**key, **measure(data, labels, annotator)}
        pd.DataFrame([row]).round(3).to_csv(table, mode="a", header=not table.exists(), index=False)
        print(row, flush=True)
    return pd.read_csv(table)


def _known(table: Path, key: dict) -> bool:
    if not table.exists():
        return False
    rows = pd.read_csv(table)[KEY]
    return bool((rows.astype(str) == pd.Series(key).astype(str)).all(axis=1).any())


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the means over seeds, one row for each number of labels, kind of error and share."""
    groups = rows.groupby([name for name in KEY if name != "seed"], sort=False)
    return groups[list(SHOWN)].mean().round(1).reset_index()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", default="fashion_mnist_small", help="an environment of conf/")
    arguments.add_argument("--source", help="where its pictures are, if not where the environment says")
    arguments.add_argument("--params", default="", help="as for kedro run")
    arguments.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="numbers of labels")
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--folder", type=Path, default=Path("data/08_reporting/label_errors"))
    arguments.add_argument("--quick", action="store_true")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    images = IMAGES
    name = options.data
    if options.quick:
        images = {"train": 120, "test": 40}
        options.sizes = [60]
        options.seeds = 1
        name = "quick"
    source = f"pool.source.path={options.source}" if options.source else ""
    typed = ",".join(filter(None, ["engine.threads=1,engine.precision=fp32", source, options.params]))
    options.folder.mkdir(parents=True, exist_ok=True)
    place = options.folder / name
    place.mkdir(exist_ok=True)
    data = load(configuration.read(options.data, typed), images, place)
    rows = study(name, data, options.sizes, options.seeds, options.folder / f"{name}.csv")
    print(summarise(rows).rename(columns=SHOWN).to_markdown(index=False))


if __name__ == "__main__":
    main()
