"""Losses, scores and augmentation on a GPU that is only pretended: torch follows shapes and devices, nothing more.

Whatever was left on the processor, or is copied in a way that waits for the GPU's work, is found without a GPU.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from pt4al.images.augment import Augmentation
from pt4al.pretext import PRETEXT_TASKS
from pt4al.pretext.embedding import distance, features
from pt4al.selection.uncertainty import MEASURES, bald
from pt4al.training import learning_loss, networks
from pt4al.training.networks import Network
from pt4al.training.tasks import classification, segmentation

CLASSES, COUNT, SIDE = 10, 4, 32
TRAINED = [name for name, task in PRETEXT_TASKS.items() if task.trains]


class Waits(TorchDispatchMode):
    """Notes what makes the processor wait for the GPU: numbers read from it, and copies that are not told not to."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, arguments: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        copies = function is torch.ops.aten._to_copy.default and arguments[0].device.type != "cuda"
        if copies and kwargs.get("device", torch.device("cpu")).type == "cuda" and not kwargs.get("non_blocking"):
            self.noted.append("copy")
        elif function in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default):
            self.noted.append("read")
        return function(*arguments, **kwargs)


def empty(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.empty(shape, dtype=dtype, device="cuda")


def moved(network: Network) -> Network:
    """The network on the pretended GPU."""
    for module in network.modules():
        for held in (module._parameters, module._buffers):
            held.update({name: empty(*old.shape, dtype=old.dtype) for name, old in held.items() if old is not None})
    return network


def waits(network: Network, function: Callable[..., torch.Tensor], *targets: tuple) -> list[str]:
    """What made it wait; the results must be on the GPU."""
    with FakeTensorMode(), Waits() as mode:
        moved(network)
        images = empty(COUNT, network.mean.numel(), SIDE, SIDE, dtype=torch.uint8)
        found = function(network, images, *(empty(*shape, dtype=dtype) for shape, dtype in targets))
        assert found.device.type == "cuda"
    return mode.noted


@pytest.fixture
def colour(make_network) -> Callable[..., Network]:
    return partial(make_network, channels=3)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", TRAINED)
def test_pretext_losses_stay_on_the_gpu_and_wait_for_nothing(name, training) -> None:
    task, generator = PRETEXT_TASKS[name], torch.Generator().manual_seed(0)
    network = networks.build("resnet8_w16", task.outputs, ([1.0] * 3, [1.0] * 3), generator, task.dense, task.head)
    assert waits(network.train(training), task.loss) == []


WEIGHTED = {
    "classification": (classification.loss, False, ((COUNT,), torch.int64)),
    "segmentation": (segmentation.loss, True, ((COUNT, SIDE, SIDE), torch.uint8)),
    "learning loss": (learning_loss.loss, False, ((COUNT,), torch.int64)),
}


@pytest.mark.parametrize("name", WEIGHTED)
def test_losses_with_class_weights_stay_on_the_gpu_and_wait_for_nothing(colour, name) -> None:
    loss, dense, targets = WEIGHTED[name]
    network = colour(CLASSES, dense=dense)
    if name == "learning loss":
        networks.add_loss_head(network, torch.Generator().manual_seed(0))

    def weighted(*arguments: Any) -> torch.Tensor:
        return loss(*arguments, weights=torch.empty(CLASSES))  # they come from the processor

    assert waits(network, weighted, targets) == []


def disagreement(network: Network, images: torch.Tensor) -> torch.Tensor:
    return bald(classification.sampled(network, images, 3, 0.5, 0))


SCORES = {
    **{name: partial(classification.uncertainty, measure=measure) for name, measure in MEASURES.items()},
    "bald": disagreement,
    "features": Network.features,
    "embedding": lambda network, images: distance(features(network, images), empty(50, 64)),
}


@pytest.mark.parametrize("name", SCORES)
def test_scores_stay_on_the_gpu_and_wait_for_nothing(colour, name) -> None:
    assert waits(colour(CLASSES).eval(), SCORES[name]) == []


def test_augmentation_stays_on_the_gpu_and_waits_for_nothing(colour) -> None:
    augment = Augmentation(crop_padding=2, flip=True, smallest_crop=0.5)

    def augmented(network: Network, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        moved, followed = augment(images, None, masks)
        return moved.float().sum() + followed.float().sum()

    assert waits(colour(), augmented, ((COUNT, SIDE, SIDE), torch.uint8)) == []


@pytest.mark.parametrize(
    "mistake",
    [
        lambda network, images: images.float() * torch.ones(SIDE).to(images.device),
        lambda network, images: images.float() * torch.tensor([2.0], device=images.device),
    ],
    ids=["a copy", "a constant"],
)
def test_a_planted_wait_is_found(colour, mistake) -> None:
    assert waits(colour(), mistake) == ["copy"]


def test_a_tensor_that_was_left_on_the_processor_is_found(colour) -> None:
    with pytest.raises(RuntimeError, match="device"):
        waits(colour(), lambda network, images: images.float() + torch.ones(SIDE))
