"""Make a project in a temporary folder, run it, and hash what it left."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.hardware import PRECISION, THREADS

ROOT = Path(__file__).parents[2]


def make_project(folder: Path, empty_store: Path, models: bool = False) -> Path:
    """Lay out a project in `folder`: this one's configuration, data that ships, and a store.

    Its precision and threads are those of the tests, so that a run is the same on every processor. Its runs log
    models where `models`, which costs half a second a cycle.
    """
    shutil.copytree(ROOT / "conf", folder / "conf")
    parameters = folder / "conf/base/parameters.yml"
    text = parameters.read_text(encoding="utf-8")
    for name, value in {"precision": PRECISION, "threads": THREADS}.items():
        assert f"  {name}: auto " in text
        text = text.replace(f"  {name}: auto ", f"  {name}: {value} ", 1)
    parameters.write_text(text, encoding="utf-8")
    if not models:
        tracking = folder / "conf/base/mlflow.yml"
        text = tracking.read_text(encoding="utf-8")
        assert "log_models: true " in text
        tracking.write_text(text.replace("log_models: true ", "log_models: false "), encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copy(empty_store, folder / "mlflow.db")
    (folder / "src").mkdir()
    (folder / "data").mkdir()
    (folder / "data" / "01_raw").symlink_to(ROOT / "data" / "01_raw")
    return folder


def copy_project(project: Path, folder: Path) -> Path:
    """Copy a project. Files of MLflow's rows are shared by links: they are many, and nobody changes one."""

    def copy(source: str, target: str) -> None:
        place = Path(source).relative_to(project)
        (os.link if place.parts[0] == "mlruns" else shutil.copy2)(source, target)

    return Path(shutil.copytree(project, folder, symlinks=True, copy_function=copy))


def kedro(*arguments: str, cwd: Path, **kwargs: Any) -> subprocess.CompletedProcess:
    """Type a Kedro command."""
    return subprocess.run(
        [sys.executable, "-m", "kedro", *arguments], cwd=cwd, capture_output=True, text=True, check=False, **kwargs
    )


def typed(project: Path, *arguments: str) -> Any:
    """Type a Kedro command in this process, which has imported all that it needs; see click.testing.Result."""
    from click.testing import CliRunner
    from kedro.framework.startup import bootstrap_project

    from pt4al.project.cli.commands import cli

    return CliRunner().invoke(cli, arguments, obj=bootstrap_project(project))


def tiny(**changes: Any) -> dict[str, Any]:
    """The tiny environment's settings, `auto` resolved for a processor, with changes."""
    import yaml
    from omegaconf import OmegaConf

    files = [yaml.safe_load((ROOT / "conf" / name / "parameters.yml").read_text()) for name in ("base", "tiny")]
    resolved = {"engine": {"device": "cpu", "precision": "fp32", "threads": 1}, "control": {"share": 0}}
    return OmegaConf.to_container(OmegaConf.merge(*files, resolved, changes))


# All of a run but its report: drawing takes as long as everything else of a tiny run.
WITHOUT_REPORT = ("pool", "features", "pretext", "ranking", "cycles")


def run(
    project: Path, pipeline: str | tuple[str, ...] = "active_learning", env: str = "tiny", **parameters: dict[str, Any]
) -> None:
    """Run a pipeline, or several, in this process: `run(project, query={"scope": "batch"})`."""
    from kedro.framework.startup import bootstrap_project

    from pt4al.project.runs.resume import Session

    bootstrap_project(project)
    with Session.create(project_path=project, env=env, runtime_params=parameters, save_on_close=False) as session:
        session.run(pipeline_names=[pipeline] if isinstance(pipeline, str) else list(pipeline))


def tables(project: Path, name: str = "tiny") -> dict[str, str]:
    """Hashes of what must not differ between two runs of one seed: ranking, queries, label sets."""
    found: dict[str, str] = {}
    for layer in ("04_feature", "05_model_input"):
        folder = project / "data" / layer / name
        for path in sorted(folder.glob("**/*.parquet")):
            if path.is_file():
                found[path.relative_to(folder).parts[0] + "/" + path.name] = hashlib.sha256(
                    path.read_bytes()
                ).hexdigest()
    return found


def newest(project: Path, layer: str, *names: str) -> Path:
    """The newest version of a dataset, by its path below data/<layer>; `*` stands for any folder."""
    folder, above, name = project / "data" / layer, "/".join(names[:-1]), names[-1]
    found = [*folder.glob(f"{above}/{name}/*/{name}"), *folder.glob(f"{above}/versions/{name}/*/{name}")]
    return max(found, key=lambda path: path.parent.name)
