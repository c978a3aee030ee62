"""Dataset of a network."""

from pathlib import Path

from pt4al.project.datasets.files import WholeDataset
from pt4al.training import networks


class NetworkDataset(WholeDataset):
    """A network as safetensors."""

    def _read(self, path: Path) -> networks.Network:
        return networks.load(path)

    def _write(self, data: networks.Network, path: Path) -> None:
        networks.save(data, path)
