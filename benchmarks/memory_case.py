"""One case of benchmark `memory`, in a process of its own: print its peak in MB above its imports, as JSON."""

import json
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pt4al.images.pool import ImagePool, open_pool
from pt4al.training import networks
from pt4al.training.engine import Training, fit, predict
from pt4al.training.precision import Hardware
from pt4al.training.schedule import Schedule

MINIBATCH = 256


class Sampler(threading.Thread):
    """Keeps the largest resident memory that it saw, in MB: all of it, and what is no file's pages."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.base, self.peak, self.stopped = resident(), dict.fromkeys(("VmRSS", "RssAnon"), 0.0), threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.002):
            now = resident()
            self.peak = {name: max(peak, now[name]) for name, peak in self.peak.items()}

    def above_base(self) -> dict[str, float]:
        return {name: peak - self.base[name] for name, peak in self.peak.items()}


def resident() -> dict[str, float]:
    """This process's memory now, in MB, as Linux counts it."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {name.rstrip(":"): int(kib) * 1024 / 1e6 for name, kib, *_ in filter(_is_resident, lines)}


def _is_resident(words: list[str]) -> bool:
    return bool(words) and words[0] in ("VmRSS:", "RssAnon:")


def brightness(network: networks.Network, images: torch.Tensor) -> torch.Tensor:
    """A loss and a score that costs nothing: the mean pixel, times a weight."""
    return images.flatten(1).float().mean(1) * network.head.bias[0]


def train(pool: ImagePool, network: networks.Network, steps: int) -> None:
    schedule = Schedule(
        epochs=1,
        minimum_steps=0,
        minibatch=MINIBATCH,
        learning_rate=0.1,
        shape="one_cycle",
        momentum=0.9,
        weight_decay=0,
    )
    rng = np.random.default_rng(0)
    rows = rng.choice(len(pool), min(len(pool), steps * MINIBATCH), replace=False)
    fit(network, brightness, pool, Training(schedule, rng), Hardware(), rows=rows)


def main() -> None:
    folder, case, steps = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    network = networks.build("resnet8_w16", 4, ([127.5] * 3, [73.9] * 3), torch.Generator().manual_seed(0))
    sampler = Sampler()
    sampler.start()
    pool = open_pool(folder)
    pool.rows(pool.ids.iloc[:1])
    index = resident()["VmRSS"] - sampler.base["VmRSS"]
    work: dict[str, Any] = {
        "train": lambda: train(pool, network, steps),
        "score": lambda: predict(network, brightness, pool, Hardware()),
        "verify": pool.verify,
    }
    work[case]()
    sampler.stopped.set()
    sampler.join()
    above = sampler.above_base()
    print(json.dumps({"peak": above["VmRSS"], "anonymous": above["RssAnon"], "index": index}))


if __name__ == "__main__":
    main()
