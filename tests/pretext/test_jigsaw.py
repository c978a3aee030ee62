"""Jigsaw: the network is shown quarters in some order, and is judged by whether it tells which."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from pt4al.pretext.jigsaw import ORDERS, SCORED, Jigsaw, tiles
from pt4al.randomness import stream
from pt4al.training.engine import Training, fit


class Recorder(nn.Module):
    """A network that notes what it is shown, and has no idea unless it can see where a mark is."""

    def __init__(self, knows: bool = False):
        super().__init__()
        self.knows, self.seen = knows, []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(images)
        shown = [part[:, 0, 4, 4] for part in tiles(images)]
        orders = torch.tensor(ORDERS)
        right = torch.stack([(torch.stack(shown, 1) == order).all(1) for order in orders], 1)
        return 100.0 * right * self.knows


def numbered(count: int = 2) -> torch.Tensor:
    """Images whose quarters hold their own numbers, 0 to 3."""
    quarters = torch.tensor([[0, 1], [2, 3]]).repeat_interleave(8, 0).repeat_interleave(8, 1)
    return quarters.expand(count, 1, 16, 16)


def noise() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32), np.uint8))


def test_loss_of_a_network_without_a_clue_is_that_of_24_orders():
    assert Jigsaw().loss(Recorder(), numbered()).tolist() == pytest.approx([math.log(24)] * 2)


@pytest.mark.parametrize("training", [True, False])
def test_network_that_knows_the_order_has_no_loss(training):
    network = Recorder(knows=True).train(training)
    assert Jigsaw().loss(network, numbered()).tolist() == pytest.approx([0, 0])
    assert Jigsaw().loss(network, numbered().flip(3)).min() > 50


def test_each_tile_is_scored_in_each_place():
    for place in zip(*(ORDERS[order] for order in SCORED), strict=True):
        assert sorted(place) == [0, 1, 2, 3]


def orders(shown: torch.Tensor) -> list[tuple[int, ...]]:
    """In which order puzzles (B, C, H, W) of numbered quarters were put together."""
    return list(zip(*(part[:, 0, 4, 4].tolist() for part in tiles(shown)), strict=True))


def test_each_image_has_orders_of_its_own_in_training_and_all_occur():
    network = Recorder().train()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        Jigsaw().loss(network, numbered(60))
    shown = np.array(orders(network.seen[0])).reshape(4, 60, 4)
    assert {tuple(order) for order in shown.reshape(-1, 4)} == set(ORDERS)
    assert all(len({tuple(order) for order in shown[:, image]}) == 4 for image in range(60))
    assert len({shown[:, image].tobytes() for image in range(60)}) > 50


def test_orders_can_be_learnt_from_real_images(fashion, make_network, schedule, hardware):
    network = make_network(Jigsaw())
    longer = schedule.model_copy(update={"epochs": 6, "minibatch": 32, "learning_rate": 0.1})
    curve = fit(network, Jigsaw().loss, fashion, Training(longer, stream(0, "fit")), hardware)
    assert curve["loss"].iloc[-1] < 0.85 * math.log(24)


def test_no_tile_shows_the_pixels_that_touch_another():
    images, changed = noise(), noise()
    for line in (0, 15, 16, 31):  # the sides of the tiles
        changed[:, :, line] = 255 - changed[:, :, line]
        changed[:, :, :, line] = 255 - changed[:, :, :, line]
    assert not torch.equal(images, changed)
    assert all(torch.equal(first, second) for first, second in zip(tiles(images), tiles(changed), strict=True))


def test_tiles_hold_everything_else_in_its_place():
    images = noise()
    upper_left, *_, lower_right = tiles(images)
    assert torch.equal(upper_left[:, :, 1:15, 1:15], images[:, :, 1:15, 1:15])
    assert torch.equal(lower_right[:, :, 1:15, 1:15], images[:, :, 17:31, 17:31])


def test_odd_rows_and_columns_are_left_out():
    odd = torch.nn.functional.pad(noise(), (0, 1, 0, 1))
    assert all(torch.equal(first, second) for first, second in zip(tiles(odd), tiles(noise()), strict=True))
