"""Checkpoints of a training: what resumes it at the end of an epoch, in plain files."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pt4al.files import digests
from pt4al.files.whole import replacing
from pt4al.training.networks import Network

logger = logging.getLogger(__name__)

NETWORK = "network."  # what names of tensors begin with
MOMENTUM = "momentum."


@dataclass(frozen=True)
class Checkpoint:
    """A training at the end of an epoch.

    Attributes
    ----------
    tensors
        On the processor, by name: `network.<name>`, and `momentum.<name>` of parameters that have
        one.
    rows
        Those of the training curve so far.
    steps
        Steps so far.
    """

    tensors: dict[str, torch.Tensor]
    rows: list[tuple]
    steps: int

    @classmethod
    def of(
        cls, network: Network, optimiser: torch.optim.Optimizer, rows: list[tuple], steps: int
    ) -> "Checkpoint":
        """Return the checkpoint of a network and the optimiser of its parameters."""
        tensors = {f"{NETWORK}{name}": tensor for name, tensor in network.state_dict().items()}
        for name, parameter in network.named_parameters():
            momentum = optimiser.state.get(parameter, {}).get("momentum_buffer")
            if momentum is not None:
                tensors[f"{MOMENTUM}{name}"] = momentum
        kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        return cls(kept, rows, steps)

    def restore(self, network: Network, optimiser: torch.optim.Optimizer | None = None) -> None:
        """Put a network, and an optimiser that has not stepped yet, into this state."""
        network.load_state_dict(self._of(NETWORK))
        if optimiser is None:
            return
        momenta = self._of(MOMENTUM)
        for name, parameter in network.named_parameters():
            if name in momenta:
                buffer = torch.empty_like(parameter, requires_grad=False).copy_(momenta[name])
                optimiser.state[parameter]["momentum_buffer"] = buffer

    def _of(self, kind: str) -> dict[str, torch.Tensor]:
        return {
            name.removeprefix(kind): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(kind)
        }


@dataclass(frozen=True)
class Checkpoints:
    """A folder that holds the newest checkpoint of one training, each written whole."""

    folder: Path

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, then remove those before it."""
        path = self.folder / f"{checkpoint.steps:09}.safetensors"
        facts = {"rows": checkpoint.rows, "steps": checkpoint.steps}
        with replacing(path) as temporary:
            save_file(checkpoint.tensors, temporary, metadata={"training": json.dumps(facts)})
            digests.note(path, temporary)
        for file in self.folder.glob("*.safetensors*"):
            if not file.name.startswith(path.name):
                file.unlink()

    def newest(self) -> Checkpoint | None:
        """Return the newest checkpoint; None if there is none. One that is damaged is left out."""
        for path in sorted(self.folder.glob("*.safetensors"), reverse=True):
            try:
                return digests.whole(path, _read, "the training goes on without it")
            except digests.Damaged as damaged:
                logger.warning("%s", damaged)
        return None


def _read(path: Path) -> Checkpoint:
    with safe_open(path, framework="pt") as opened:
        facts = json.loads(opened.metadata()["training"])
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    return Checkpoint(tensors, [tuple(row) for row in facts["rows"]], facts["steps"])
