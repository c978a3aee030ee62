"""A run as MLflow's trackers see it, without running anything."""

from pathlib import Path

from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogProtocol

from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.resume import Session
from pt4al.project.tracking import store as mlflow_store
from pt4al.project.tracking.run import RunTracker
from pt4al.project.tracking.store import Settings, Store

SETTINGS = Settings(tracking_uri="sqlite:///mlflow.db", experiment="pt4al", log_models=False)


def store_of(project: Path, uri: str | None = None) -> Store:
    """The store that a project's settings name."""
    settings = SETTINGS if uri is None else SETTINGS.model_copy(update={"tracking_uri": uri})
    return mlflow_store.find(project, settings, {})


def catalog_of(project: Path) -> CatalogProtocol:
    """The catalog of the run `tiny`."""
    bootstrap_project(project)
    with Session.create(project_path=project, env="tiny", save_on_close=False) as session:
        return session.load_context().catalog


def tracking_of(
    project: Path, catalog: CatalogProtocol, store: Store | None = None, log_models: bool = False
) -> RunTracker:
    """The tracker of the run `tiny`."""
    record = RunFolder(project / "data", "tiny").record
    parameters = parse(catalog.load("parameters"))
    return RunTracker(parameters, catalog, project, record, store or store_of(project), log_models)
