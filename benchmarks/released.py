"""Train and score the way PT4AL's released code works, to compare with; written anew.

A file a picture, opened, cropped, flipped and normalised one by one, in fp32 and NCHW; a network pass for each
rotation; losses and hits read out at every step; one picture at a time for scoring. Left out, in its favour:
the progress bar at every step and the pass over the test set after every epoch.
Source: rotation.py, make_batches.py, main.py, loader.py of https://github.com/johnsk95/PT4AL
"""

import itertools
import random
from pathlib import Path

import torch
from PIL import Image
from torch import nn
from torch.nn.functional import normalize, softmax
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import transforms

from pt4al.images.pool import ImagePool
from pt4al.training.networks.parts import Pool
from pt4al.training.networks.small import TRUNKS
from pt4al.training.schedule import Schedule

TURNS = 4


class Pictures(Dataset):
    """A folder of PNG files and their classes."""

    def __init__(self, paths: list[Path], targets: torch.Tensor, transform: transforms.Compose):
        self.paths, self.targets, self.transform = paths, targets.tolist(), transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.paths[row]) as picture:
            return self.transform(picture), self.targets[row]


class TurnedPictures(Pictures):
    """Each picture in its four rotations, shuffled."""

    def __getitem__(self, row: int) -> tuple[list[torch.Tensor], list[int]]:
        picture, _ = super().__getitem__(row)
        turns = random.sample(range(TURNS), TURNS)
        return [torch.rot90(picture, turn, [1, 2]) for turn in turns], turns


def write_pictures(pool: ImagePool, folder: Path) -> list[Path]:
    """Write a pool of grey images as PNG files."""
    folder.mkdir()
    paths = [folder / f"{row:05d}.png" for row in range(len(pool))]
    for path, image in zip(paths, itertools.chain(*pool.shards), strict=True):
        Image.fromarray(image[0]).save(path)
    return paths


def transform(pool: ImagePool, crop_padding: int | None = None) -> transforms.Compose:
    """Return torchvision's transforms; with a crop and a flip for training."""
    mean, std = ([number / 255 for number in numbers] for numbers in (pool.mean, pool.std))
    augment = [transforms.RandomCrop(pool.shape[1], padding=crop_padding), transforms.RandomHorizontalFlip()]
    training = [] if crop_padding is None else augment
    return transforms.Compose([*training, transforms.ToTensor(), transforms.Normalize(mean, std)])


def network(name: str, channels: int, outputs: int) -> nn.Module:
    """The same layers as the tool's network of that name; normalisation is the data's business."""
    trunk, width = TRUNKS[name](channels)
    return nn.Sequential(trunk, Pool(), nn.Linear(width, outputs))


def train(network: nn.Module, pictures: Dataset, images: int, schedule: Schedule, workers: int) -> None:
    """One epoch over the first `images` pictures."""
    loader = DataLoader(
        Subset(pictures, range(images)), batch_size=schedule.minibatch, shuffle=True, num_workers=workers
    )
    optimiser = torch.optim.SGD(
        network.parameters(), schedule.learning_rate, schedule.momentum, weight_decay=schedule.weight_decay
    )
    criterion, total, hits = nn.CrossEntropyLoss(), 0.0, 0
    network.train()
    for inputs, targets in loader:
        optimiser.zero_grad()
        views = list(zip(inputs, targets, strict=True)) if isinstance(inputs, list) else [(inputs, targets)]
        outputs = [network(view) for view, _ in views]
        loss = sum(criterion(output, wanted) for output, (_, wanted) in zip(outputs, views, strict=True)) / len(views)
        loss.backward()
        optimiser.step()
        total += loss.item()
        hits += sum((out.argmax(1) == wanted).sum().item() for out, (_, wanted) in zip(outputs, views, strict=True))


def score(network: nn.Module, pictures: Dataset, images: int, workers: int) -> list[float]:
    """The top-1 confidence of the first `images` pictures, one at a time."""
    loader = DataLoader(Subset(pictures, range(images)), batch_size=1, num_workers=workers)
    network.eval()
    with torch.no_grad():
        return [float(softmax(normalize(network(inputs)), dim=1).max()) for inputs, _ in loader]
