"""The least that training and scoring can cost: a loop over tensors in memory. The limit to compare with."""

import torch

from pt4al.training.engine import SCORING_MINIBATCH, Loss
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.schedule import Schedule


def train(
    network: Network, loss: Loss, tensors: tuple[torch.Tensor, ...], schedule: Schedule, hardware: Hardware
) -> None:
    """`schedule.minimum_steps` steps over images and perhaps targets: no augmentation, rate, order, curve, progress."""
    network.to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.SGD(
        network.parameters(), schedule.learning_rate, schedule.momentum, weight_decay=schedule.weight_decay, fused=True
    )
    starts = range(0, len(tensors[0]) - schedule.minibatch + 1, schedule.minibatch)
    for step in range(schedule.minimum_steps):
        first = starts[step % len(starts)]
        with hardware.autocast():
            mean = loss(network, *(tensor[first : first + schedule.minibatch] for tensor in tensors)).mean()
        optimiser.zero_grad()
        mean.backward()
        optimiser.step()


def score(network: Network, function: Loss, images: torch.Tensor, hardware: Hardware) -> torch.Tensor:
    """The function of all images; batch norms are not folded."""
    network.to(memory_format=torch.channels_last).eval()
    with torch.inference_mode(), hardware.autocast():
        return torch.cat([function(network, minibatch).float() for minibatch in images.split(SCORING_MINIBATCH["cpu"])])
