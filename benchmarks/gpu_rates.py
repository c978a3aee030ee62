"""Images a second of training, pretext training and scoring, beside a bare loop; and the memory that it takes."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

import bare
import pools
from gpu_report import NOT_HERE, Row
from pt4al.images.augment import Augmentation
from pt4al.images.pool import ImagePool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.project.configuration.parameters import Main, Parameters, Pretext
from pt4al.training import networks
from pt4al.training.engine import predict
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification
from timing import Variant, interleaved, ratio, seconds, wait_for
from training import Work, tool

ROUND = 1.0  # seconds that a round of one variant takes, about
MIB = 2**20


@dataclass(frozen=True)
class Case:
    """A network and the images that it is measured on."""

    network: str
    shape: tuple[int, int, int]
    images: int  # in the pool
    minibatch: int
    crop_padding: int

    @property
    def title(self) -> str:
        return f"{self.network} at {self.shape[1]} px"


@dataclass(frozen=True)
class Effort:
    """How long it is measured: `steps` fixes how many a round has, else they take about a second."""

    rounds: int
    steps: int | None


CASES = (
    Case("resnet8_w16", (1, 28, 28), 20_000, 64, 2),
    Case("resnet18", (3, 32, 32), 20_000, 128, 4),
    Case("timm/vit_small_patch16_224", (3, 224, 224), 1024, 64, 28),
)
QUICK = (
    Case("resnet8_w16", (1, 28, 28), 64, 16, 2),
    Case("resnet18", (3, 32, 32), 4, 2, 4),
    Case("timm/test_vit", (3, 160, 160), 4, 2, 20),
)


def works(case: Case, settings: Parameters, targets: torch.Tensor) -> dict[str, Work]:
    """Return the main training and the pretext training of a case, with the settings of conf/base but for its own."""
    augment = Augmentation(crop_padding=case.crop_padding, flip=True, smallest_crop=1)

    def block(settings: Main | Pretext) -> Main | Pretext:
        own = {"network": case.network, "augment": augment}
        return settings.model_copy(
            update={**own, "schedule": settings.schedule.model_copy(update={"minibatch": case.minibatch})}
        )

    rotation = PRETEXT_TASKS["rotation"]
    main = Work("train", block(settings.main), classification.loss, int(targets.max()) + 1, targets)
    return {
        "train": main,
        "pretext": Work("pretext train", block(settings.pretext), rotation.loss, rotation.outputs, None),
    }


def rates(case: Case, settings: Parameters, hardware: Hardware, effort: Effort) -> Iterator[Row]:
    """Measure one case."""
    pool, targets = pools.made(case.images, case.shape)
    for name, work in works(case, settings, targets).items():
        what = f"{name}, {case.title}, {hardware.precision}"
        yield from _compared(what, lambda steps, work=work: tool(work, pool, hardware, steps), hardware, effort)
    what = f"score, {case.title}, {hardware.precision}"
    yield from _compared(what, lambda steps: _scoring(case, pool, hardware, steps), hardware, effort)


def _compared(
    what: str, variants: Callable[[int], dict[str, Variant]], hardware: Hardware, effort: Effort
) -> Iterator[Row]:
    steps = effort.steps or _enough(variants, hardware)
    ways = variants(steps)
    table = interleaved(ways, effort.rounds)
    beside = f"{ratio(table, 'ours', 'limit')} of a bare loop's {table['limit'].median():,.0f}"
    yield Row("rate", what, float(table["ours"].median()), "images/s", beside)
    yield _memory(what, ways["ours"], hardware)


def _enough(variants: Callable[[int], dict[str, Variant]], hardware: Hardware) -> int:
    """Return how many steps take about a second."""
    few = variants(10)["ours"]
    few.run()
    return math.ceil(10 * max(1, ROUND / seconds(few.run)))


def _memory(what: str, ours: Variant, hardware: Hardware) -> Row:
    if hardware.device == "cpu":
        return Row("memory", what, None, "MiB", NOT_HERE)
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    ours.run()
    return Row("memory", what, (torch.cuda.max_memory_allocated() - before) / MIB, "MiB", "at most, images included")


def _scoring(case: Case, pool: ImagePool, hardware: Hardware, steps: int) -> dict[str, Variant]:
    """Logits of the pool, several times over if it is small; `steps` are minibatches of the training."""
    count = steps * case.minibatch
    rows = np.arange(count) % len(pool)
    generator = torch.Generator().manual_seed(0)
    network = networks.build(case.network, 10, (pool.mean, pool.std), generator)
    copied, outputs = copy.deepcopy(network), classification.outputs
    images = pool.gather(np.arange(len(pool))).to(hardware.device)

    def limit() -> None:
        left = count
        while left > 0:
            bare.score(copied, outputs, images[:left], hardware)
            left -= len(images)
        wait_for(hardware.device)

    def ours() -> None:
        predict(network, outputs, pool, hardware, rows)

    return {way.__name__: Variant(way, count) for way in (ours, limit)}
