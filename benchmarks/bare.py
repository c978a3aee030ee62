"""The least that training and scoring can cost: a loop over tensors in memory. The limit to compare with."""

from collections.abc import Callable, Sequence

import torch

from pt4al.training.engine import Loss, scoring_minibatch
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.schedule import Schedule


def train(
    network: Network, loss: Loss, tensors: Sequence[torch.Tensor], schedule: Schedule, hardware: Hardware
) -> None:
    """`schedule.minimum_steps` steps over images and perhaps targets: no augmentation, rate, order, curve, progress."""
    step = stepper(network, loss, schedule, hardware)
    starts = range(0, len(tensors[0]) - schedule.minibatch + 1, schedule.minibatch)
    for number in range(schedule.minimum_steps):
        first = starts[number % len(starts)]
        step(*(tensor[first : first + schedule.minibatch] for tensor in tensors))


def stepper(network: Network, loss: Loss, schedule: Schedule, hardware: Hardware) -> Callable[..., None]:
    """Return what trains a network for one step on images and perhaps targets, which are on the device."""
    network.to(hardware.device, memory_format=torch.channels_last).train()
    optimiser = torch.optim.SGD(
        network.parameters(), schedule.learning_rate, schedule.momentum, weight_decay=schedule.weight_decay, fused=True
    )

    def step(*minibatch: torch.Tensor) -> None:
        with hardware.autocast():
            mean = loss(network, *minibatch).mean()
        optimiser.zero_grad()
        mean.backward()
        optimiser.step()

    return step


def score(network: Network, function: Loss, images: torch.Tensor, hardware: Hardware) -> torch.Tensor:
    """The function of all images; batch norms are not folded."""
    network.to(hardware.device, memory_format=torch.channels_last).eval()
    size = scoring_minibatch(hardware.device, images.shape[1:])
    with torch.inference_mode(), hardware.autocast():
        return torch.cat([function(network, minibatch).float() for minibatch in images.split(size)])
