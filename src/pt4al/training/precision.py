"""Choose device and precision by a self-test: processors differ by a factor of ten."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import nn

from pt4al.cluster.seam import ALONE, Cluster

# how long the self-test takes, and how many steps of each at least
SECONDS = 1.0
TURNS = 5
GAIN = 1.2  # bf16 must be this many times faster, or fp32 is kept


@dataclass(frozen=True)
class Hardware:
    """Where and how numbers are computed."""

    device: str = "cpu"  # cpu or cuda
    precision: str = "fp32"  # fp32 or bf16 (autocast; weights stay fp32)
    cluster: Cluster = ALONE  # who does work in shards

    @property
    def alone(self) -> "Hardware":
        """The same, for a worker, which does its work by itself."""
        return replace(self, cluster=ALONE)

    def autocast(self) -> torch.autocast:
        """Return the context in which a network computes in this precision."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16")


def choose_device() -> str:
    """Return cuda where there is one, else cpu."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def choose_precision(device: str) -> str:
    """Return bf16 if a small network trains 1.2 times faster in it, else fp32; takes a second."""
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    seconds = _fastest(
        {precision: _training_step(Hardware(device, precision)) for precision in ("fp32", "bf16")}
    )
    return "bf16" if seconds["fp32"] > GAIN * seconds["bf16"] else "fp32"


def _fastest(steps: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Return the seconds of each one's fastest call; they take turns, to share other load."""
    fastest = dict.fromkeys(steps, float("inf"))
    end = time.perf_counter() + SECONDS
    turns = 0
    while turns < TURNS or time.perf_counter() < end:
        turns += 1
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            fastest[name] = min(fastest[name], time.perf_counter() - start)
    return fastest


def _training_step(hardware: Hardware) -> Callable[[], None]:
    """Return what trains two convolutions for one step."""
    with torch.random.fork_rng(devices=[]):
        network = nn.Sequential(
            nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 32, 3)
        )
    network.to(memory_format=torch.channels_last)
    images = torch.zeros(64, 16, 32, 32).to(memory_format=torch.channels_last)

    def step() -> None:
        with hardware.autocast():
            outputs = network(images)
        outputs.float().mean().backward()

    return step
