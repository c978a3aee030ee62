"""Settings by dotted name, and what stands for them: identity of a run, fingerprints."""

import hashlib
import json
from typing import Any

from pt4al.block import Block
from pt4al.project.configuration.parameters import Parameters

# Of block `oracle`: what may change between two cycles of a run.
POLICIES = {"classes", "annotators", "disagreement", "skipped", "reserve", "go_on", "relabel"}
# Blocks that no run's results depend on.
BESIDE = {"report", "comparison", "cold_start", "predict"}


def flat(parameters: dict, prefix: str = "") -> dict[str, Any]:
    """Return nested parameters as one level of dotted names."""
    leaves: dict[str, Any] = {}
    for name, value in parameters.items():
        leaves |= (
            flat(value, f"{prefix}{name}.")
            if isinstance(value, dict)
            else {f"{prefix}{name}": value}
        )
    return leaves


def identity(parameters: Parameters) -> dict[str, Any]:
    """Return the settings that make a run what it is, by dotted name: with others it would be another run."""
    apart = dict.fromkeys(BESIDE, True) | {"run": {"fresh", "change"}, "oracle": POLICIES}
    return flat(parameters.model_dump(mode="json", exclude=apart))


def fingerprint(*blocks: Any) -> str:
    """Return 12 hexadecimal digits that stand for these settings."""
    dumped = [block.model_dump() if isinstance(block, Block) else block for block in blocks]
    return hashlib.sha256(json.dumps(dumped, sort_keys=True).encode()).hexdigest()[:12]


def nested(settings: dict) -> dict:
    """Return settings by dotted name as blocks: the way back from `flat`."""
    whole: dict = {}
    for name, value in settings.items():
        *blocks, last = name.split(".")
        block = whole
        for step in blocks:
            block = block.setdefault(step, {})
        block[last] = value
    return whole
