"""Read a project's configuration files without a session; a run reads them by `runs/context.py`."""

from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader


def loader(project: Path, env: str | None = None) -> OmegaConfigLoader:
    """Return Kedro's loader of the files of an environment, over those of conf/base."""
    from pt4al.settings import CONFIG_LOADER_ARGS

    return OmegaConfigLoader(str(project / "conf"), env=env, **CONFIG_LOADER_ARGS)


def places(project: Path, env: str | None = None) -> dict[str, Any]:
    """Return what globals.yml says."""
    return loader(project, env)["globals"]


def root(project: Path, env: str | None = None) -> Path:
    """Return the folder of a project's data."""
    return project / places(project, env)["root"]
