"""Benchmark `features`: feature vectors a second into a store, beside the same network in a bare loop."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

import photos
from document import Section
from pt4al.features import backbones
from pt4al.features.backbones import Backbone
from pt4al.features.scoring import Scorer
from pt4al.features.store import compute, compute_from_pool
from pt4al.images.collection import Collection
from pt4al.images.decode import decode
from pt4al.images.pool import ImagePool
from pt4al.images.sources import SOURCES
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from timing import Variant, interleaved, rate, ratio

TEXT = """
Features of photos of Caltech-101 by EfficientNet-Lite0 at 112 x 112 pixels. *Ours* writes them to a store, with digests
and index. *Bare* is the same network in evaluation mode, its batch norms folded, in the same precision and minibatches
of the same size, in a loop that keeps nothing. *Plain* is that network without folding, in minibatches of 128. From
memory all begin with the decoded images; from files with JPEG files of at most 112 pixels a side, which *bare* and
*plain* decode one by one between minibatches, where ours decodes in threads while the network computes. Goal: 0.95 of
*bare* from memory.
"""
PLAIN = 128  # images of a minibatch


def measure(hardware: Hardware, quick: bool) -> Section:
    """Compute features of decoded images and of files, several times."""
    repeats, count = (1, 24) if quick else (5, 1600)
    backbone = backbones.load(backbones.LITE0)
    with tempfile.TemporaryDirectory() as folder:
        photos.write(photos.collection(quick), Path(folder, "photos"), count)
        collection = SOURCES["folders"](str(Path(folder, "photos")))
        rows = np.arange(len(collection))
        images = np.stack([decode(picture, backbone.frame) for picture in collection.pictures(rows)])
        pool = ImagePool(images, collection.index, [127.5] * 3, [127.5] * 3, "decoded")
        scorer = Scorer(backbone.network, hardware, images[0, 0].size)
        plain = backbone.network.to(memory_format=torch.channels_last)
        memory = {
            "ours": partial(_ours_from_memory, pool, backbone, hardware),
            "bare": partial(_loop, scorer, hardware, images, scorer.size),
            "plain": partial(_loop, partial(_plain, plain), hardware, images, PLAIN),
        }
        files = {
            "ours": lambda: _ours_from_files(collection, backbone, hardware),
            "bare": lambda: _loop(scorer, hardware, _decoded(collection, backbone), scorer.size),
            "plain": lambda: _loop(partial(_plain, plain), hardware, _decoded(collection, backbone), PLAIN),
        }
        table = [_row("memory", memory, len(rows), repeats), _row("files", files, len(rows), repeats)]
    return Section("features", pd.DataFrame(table), TEXT)


def _row(title: str, ways: dict[str, Callable[[], None]], count: int, repeats: int) -> dict[str, str]:
    rates = interleaved({name: Variant(way, count) for name, way in ways.items()}, repeats)
    return {
        "from": title,
        "ours / bare": ratio(rates, "ours", "bare"),
        "ours / plain": ratio(rates, "ours", "plain"),
        "ours, images/s": rate(rates, "ours"),
        "bare, images/s": rate(rates, "bare"),
        "plain, images/s": rate(rates, "plain"),
        "measured": f"{repeats} rounds of {count:,} images",
    }


def _ours_from_memory(pool: ImagePool, backbone: Backbone, hardware: Hardware) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compute_from_pool(pool, backbone.network, Path(folder), hardware)


def _ours_from_files(collection: Collection, backbone: Backbone, hardware: Hardware) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compute(collection, collection.index["id"], backbone, Path(folder), hardware)


def _loop(network: Callable[[np.ndarray], object], hardware: Hardware, images: Iterable[np.ndarray], size: int) -> None:
    """Compute features of images (N, 3, 112, 112), or of what yields them one by one, and keep nothing."""
    waiting: list[np.ndarray] = []
    with torch.inference_mode(), hardware.autocast():
        for image in images:
            waiting.append(image)
            if len(waiting) == size:
                network(np.stack(waiting))
                waiting = []
        if waiting:
            network(np.stack(waiting))


def _plain(network: Network, images: np.ndarray) -> None:
    network.features(torch.from_numpy(images))


def _decoded(collection: Collection, backbone: Backbone) -> Iterator[np.ndarray]:
    resampling = Image.Resampling[backbone.resampling.upper()]
    for picture in collection.pictures(np.arange(len(collection))):
        yield decode(picture, backbone.frame, resampling)
