"""Study: does a high pretext loss go with a high loss of the main model? For each pretext task, on real images.

    python benchmarks/pretext_correlation.py --data cifar10 --source path [--labels 0.1] [--seeds 3] [--quick]

The main network is trained from fresh weights on random labels; Spearman's correlation is over all the other
images of the pool, whose labels it has not seen. Settings are those of conf/<data>, with noise of 4 grey
levels on CIFAR-10, which hides traces of JPEG, and the smallest network; `--params`, as typed to kedro, go on
top. One row of `correlations.csv` a task and seed; rows that are there are not made again. `--quick` trains for two
steps, to see whether all of it runs.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import configuration
from pt4al.files.whole import replacing
from pt4al.images.building import build
from pt4al.images.pool import ImagePool, open_pool
from pt4al.pipelines.pool.nodes import collect
from pt4al.pipelines.pretext import nodes
from pt4al.project.configuration.identity import fingerprint
from pt4al.project.configuration.parameters import Parameters
from pt4al.randomness import stream, torch_generator
from pt4al.statistics.correlation import rank_correlation
from pt4al.training import networks
from pt4al.training.engine import Training, fit, predict
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification

SMALLEST = "pretext.network=resnet8_w16,main.network=resnet8_w16"
QUICK = (
    "pretext.schedule.epochs=1,pretext.schedule.minimum_steps=2,main.schedule.epochs=1,main.schedule.minimum_steps=2"
)
DATA = {"cifar10": f"{SMALLEST},pool.noise=4", "caltech101": SMALLEST}
ARMS = {
    "rotation": {"task": "rotation"},
    "rotation, cross-fitted": {"task": "rotation", "losses": "cross_fitted"},
    "rotation, mean over epochs": {"task": "rotation", "losses": "mean_over_epochs"},
    "colorization": {"task": "colorization"},
    "jigsaw": {"task": "jigsaw"},
    "simsiam": {"task": "simsiam"},
}


@dataclass(frozen=True)
class Study:
    """One data set, one seed."""

    settings: Parameters
    labels: float
    folder: Path

    @property
    def hardware(self) -> Hardware:
        return Hardware(self.settings.engine.device, self.settings.engine.precision)

    def pool(self) -> tuple[ImagePool, torch.Tensor]:
        """Return the pool, built once, and its labels as numbers."""
        collection = collect(self.settings.pool)["train"]
        folder = self.folder / f"pool_{fingerprint(self.settings.pool)}"
        if not folder.exists():
            with replacing(folder) as temporary:
                build(collection, temporary, self.settings.pool)
        pool, labels = open_pool(folder), collection.labels.set_index("id")["label"]
        return pool, classification.targets(labels.loc[pool.ids], collection.classes)

    def main_losses(self, pool: ImagePool, targets: torch.Tensor) -> tuple[np.ndarray, float]:
        """Return the main model's loss on each image, NaN where it was trained, and its accuracy on the others."""
        main, rng = self.settings.main, stream(self.settings.run.seed, "correlation")
        schedule = configuration.read("fashion_mnist_small").main.schedule  # of networks that start from nothing
        labelled = np.sort(rng.choice(len(pool), round(self.labels * len(pool)), replace=False))
        network = networks.build(main.network, int(targets.max()) + 1, (pool.mean, pool.std), torch_generator(rng))
        training = Training(schedule, rng, main.augment, title="main")
        fit(network, classification.loss, pool, training, self.hardware, labelled, targets[labelled])
        losses = predict(network, classification.loss, pool, self.hardware, targets=targets)
        right = predict(network, classification.outputs, pool, self.hardware).argmax(1) == targets.numpy()
        losses[labelled] = np.nan
        return losses, float(np.delete(right, labelled).mean())

    def pretext_losses(self, pool: ImagePool, arm: str) -> np.ndarray:
        """Train and score as a run does; other losses than `in_sample` need none but their own networks."""
        pretext = self.settings.pretext.model_copy(update={"start_from": "fresh", "losses": "in_sample"} | ARMS[arm])
        settings = self.settings.model_copy(update={"pretext": pretext})
        network = nodes.train(pool, settings)[0] if pretext.losses == nodes.IN_SAMPLE else None
        return nodes.score(pool, pool, network, pd.DataFrame(), settings)["pretext_loss"].to_numpy()


def study(settings: Parameters, key: dict, arms: list[str], labels: float, folder: Path) -> None:
    """Make the rows of one seed that are not there."""
    missing, table = [arm for arm in arms if _row(folder, {**key, "arm": arm}) is None], folder / "correlations.csv"
    if not missing:
        return
    this = Study(settings, labels, folder)
    pool, targets = this.pool()
    main, accuracy = this.main_losses(pool, targets)
    for arm in missing:
        start = time.perf_counter()
        losses = this.pretext_losses(pool, arm)
        found = {"median_loss": float(np.median(losses)), "seconds": round(time.perf_counter() - start, 1)}
        row = {**key, "arm": arm, **rank_correlation(losses, main), "accuracy": accuracy, **found}
        pd.DataFrame([row]).to_csv(table, mode="a", header=not table.exists(), index=False)
        print(row, flush=True)


def _row(folder: Path, key: dict) -> pd.Series | None:
    table = folder / "correlations.csv"
    rows = pd.read_csv(table, keep_default_na=False) if table.exists() else pd.DataFrame(columns=list(key))
    found = rows[(rows[list(key)].astype(str) == pd.Series(key).astype(str)).all(axis=1)]
    return None if found.empty else found.iloc[-1]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", choices=DATA, required=True)
    arguments.add_argument("--source", required=True)
    arguments.add_argument("--labels", type=float, default=0.1, help="share of the pool that the main model sees")
    arguments.add_argument("--seeds", type=int, default=1)
    arguments.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--params", default="")
    arguments.add_argument("--folder", type=Path, default=Path("data/08_reporting/pretext_correlation"))
    arguments.add_argument("--quick", action="store_true")
    options = arguments.parse_args()
    if options.quick:
        options.params = ",".join(filter(None, [QUICK, options.params]))
    torch.set_num_threads(options.threads)
    options.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for seed in range(options.seeds):
        own = f"pool.source.path={options.source},run.seed={seed},engine.threads={options.threads}"
        typed = ",".join(filter(None, [DATA[options.data], own, options.params]))
        key = {"data": options.data, "params": options.params, "labels": options.labels, "seed": seed}
        study(configuration.read(options.data, typed), key, options.arms, options.labels, options.folder)
        rows += [_row(options.folder, {**key, "arm": arm}) for arm in options.arms]
    shown = ["correlation", "accuracy", "median_loss", "seconds"]
    table = pd.DataFrame(rows).astype(dict.fromkeys(shown, float)).groupby("arm", sort=False)
    print(table[shown].mean().join(table["correlation"].std().rename("spread")).round(3).to_markdown())


if __name__ == "__main__":
    main()
