"""What stands for settings: identity of a run, fingerprints."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pt4al.block import Block
from pt4al.project.configuration.dotted import flat

if TYPE_CHECKING:
    from pt4al.project.configuration.parameters import Parameters

# Of block `oracle`: what may change between two cycles of a run.
POLICIES = {"classes", "annotators", "disagreement", "skipped", "reserve", "go_on"}
POLICIES |= {"descriptions", "relabel"}
# Blocks that no run's results depend on.
BESIDE = {"report", "comparison", "cold_start", "predict", "storage"}


def identity(parameters: "Parameters") -> dict[str, Any]:
    """Return the settings that make a run what it is, by dotted name: with others it would be another run."""
    apart = dict.fromkeys(BESIDE, True) | {"run": {"fresh", "change"}, "oracle": POLICIES}
    same = parameters.model_copy(update={"engine": parameters.engine.arithmetic})
    return flat(same.model_dump(mode="json", exclude=apart))


def fingerprint(*blocks: Any) -> str:
    """Return 12 hexadecimal digits that stand for these settings."""
    dumped = [block.model_dump() if isinstance(block, Block) else block for block in blocks]
    return hashlib.sha256(json.dumps(dumped, sort_keys=True).encode()).hexdigest()[:12]
