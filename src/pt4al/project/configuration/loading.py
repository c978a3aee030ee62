"""Read a project's configuration files without a session; a run reads them by `runs/context.py`."""

import json
import os
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf

from pt4al.errors import InputError
from pt4al.files.storage import MARKER, keeper

KEYS = "conf/local/credentials.yml"
SECTION = "storage"  # of it


def loader(project: Path, env: str | None = None) -> OmegaConfigLoader:
    """Return Kedro's loader of the files of an environment, over those of conf/base."""
    from pt4al.settings import CONFIG_LOADER_ARGS

    return OmegaConfigLoader(str(project / "conf"), env=env, **CONFIG_LOADER_ARGS)


def places(project: Path, env: str | None = None) -> dict[str, Any]:
    """Return what globals.yml says."""
    return checked(loader(project, env)["globals"])


def checked(content: dict[str, Any]) -> dict[str, Any]:
    """Return what globals.yml says, or raise InputError if it can't be what is meant."""
    folder = content.get("root")
    if not isinstance(folder, str) or not folder.strip():
        raise InputError(f"globals.yml: `root` is {folder!r}: it must be a folder's name, `data`")
    versioned = content.get("versioned")
    if not isinstance(versioned, bool):
        raise InputError(f"globals.yml: `versioned` is {versioned!r}: it must be true or false")
    return content


def root(project: Path, env: str | None = None) -> Path:
    """Return the folder of a project's data, whose files a bucket may keep."""
    folder = project / places(project, env)["root"]
    storage = keeper(folder / MARKER)
    if storage is not None:
        hand_over_keys(project, storage.address)
    return folder


def hand_over_keys(project: Path, address: str) -> None:
    """Tell fsspec what credentials.yml says, in this process and in those that it starts."""
    file = project / KEYS
    if not file.exists():
        return
    # Not by a loader of Kedro's: what `globals` means in the catalog is what its newest one says.
    options = OmegaConf.to_container(OmegaConf.load(file), resolve=True).get(SECTION)
    if options:
        import fsspec

        protocol = address.partition("://")[0]
        os.environ[f"FSSPEC_{protocol.upper()}"] = json.dumps(options)
        fsspec.config.set_conf_env(fsspec.config.conf)
