"""Features a second of networks that others train, beside a bare loop, once a GPU finds what a processor finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from gpu_rates import Effort
from gpu_report import Row
from pt4al.features.scoring import scoring
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from timing import Variant, interleaved, ratio, wait_for

CLOSE = {"fp32": 0.01, "bf16": 0.1}  # of the features' own spread
CHECKED = 8  # images


@dataclass(frozen=True)
class Looking:
    """A network, with random weights since rates need no others, and the images that it looks at."""

    network: str
    size: int
    images: int


CASES = (Looking("timm/tf_efficientnet_lite0", 112, 8192), Looking("timm/vit_small_patch14_dinov2", 224, 2048))
QUICK = (Looking("timm/tf_efficientnet_lite0", 32, 8), Looking("timm/test_vit", 160, 4))


def features(case: Looking, hardware: Hardware, effort: Effort) -> Iterator[Row]:
    """Check a network's features against the processor's, then measure them."""
    network = Network(case.network, 1, ([127.5] * 3, [127.5] * 3), size=(case.size, case.size))
    shape = (case.images, 3, case.size, case.size)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    what = f"features, {case.network} at {case.size} px, {hardware.precision}"
    found, expected = (_found(network, images[:CHECKED], where) for where in (hardware, Hardware("cpu", "fp32")))
    apart = float(np.abs(found - expected).max() / expected.std())
    if not apart < CLOSE[hardware.precision]:
        raise ValueError(f"{what}: they differ from the processor's by {apart:.3g} of their spread")
    with scoring(network, hardware, case.size**2) as scorer:

        def ours() -> None:
            scorer(images)

        limit = _bare(network, images, scorer.size, hardware)
        ways = {"ours": Variant(ours, case.images), "limit": Variant(limit, case.images)}
        table = interleaved(ways, effort.rounds)
    beside = f"{ratio(table, 'ours', 'limit')} of a bare loop's {table['limit'].median():,.0f}"
    yield Row("rate", what, float(table["ours"].median()), "images/s", beside)


def _found(network: Network, images: np.ndarray, hardware: Hardware) -> np.ndarray:
    with scoring(network, hardware, images[0, 0].size) as scorer:
        return scorer(images)


def _bare(network: Network, images: np.ndarray, size: int, hardware: Hardware) -> Callable[[], None]:
    """Return a loop over images that are on the device, with the network as it is."""
    resident = torch.from_numpy(images).to(hardware.device)
    network.to(hardware.device, memory_format=torch.channels_last).eval()

    def limit() -> None:
        with torch.inference_mode(), hardware.autocast():
            for minibatch in resident.split(size):
                network.features(minibatch)
        wait_for(hardware.device)

    return limit
