"""Choose device and precision: by a self-test, since processors differ by a factor of ten either way."""

import time
from dataclasses import dataclass

import torch
from torch import nn

GAIN = 1.2  # bf16 must be this many times faster, or fp32 is kept


@dataclass(frozen=True)
class Hardware:
    """Where and how numbers are computed."""

    device: str = "cpu"  # cpu or cuda
    precision: str = "fp32"  # fp32 or bf16 (autocast; weights stay fp32)

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16")


def choose_device() -> str:
    """Return cuda where there is one, else cpu."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def choose_precision(device: str) -> str:
    """Return bf16 if a small network trains at least 1.2 times faster in it, else fp32; takes about a second."""
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    seconds = {precision: _training_seconds(Hardware(device, precision)) for precision in ("fp32", "bf16")}
    return "bf16" if seconds["fp32"] > GAIN * seconds["bf16"] else "fp32"


def _training_seconds(hardware: Hardware) -> float:
    """The fastest of a few training steps of two convolutions."""
    network = nn.Sequential(nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 32, 3))
    network.to(memory_format=torch.channels_last)
    images = torch.zeros(64, 16, 32, 32).to(memory_format=torch.channels_last)
    fastest = float("inf")
    for _ in range(8):
        start = time.perf_counter()
        with hardware.autocast():
            outputs = network(images)
        outputs.float().mean().backward()
        fastest = min(fastest, time.perf_counter() - start)
    return fastest
