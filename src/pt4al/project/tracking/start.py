"""Choose and open the tracker of a command."""

from multiprocessing import parent_process
from typing import Any

from kedro.io import CatalogProtocol

from pt4al.project.runs.command import Command, Kind
from pt4al.project.runs.folder import RunFolder
from pt4al.project.tracking import store as stores
from pt4al.project.tracking.comparison import ComparisonTracker
from pt4al.project.tracking.model_registry import ModelRegistration
from pt4al.project.tracking.run import RunTracker
from pt4al.project.tracking.store import Store
from pt4al.project.tracking.tracker import PatientTracker, Tracker


def open_tracker(
    command: Command, catalog: CatalogProtocol, settings: dict[str, Any]
) -> PatientTracker:
    """Return the tracker of a command, started. `settings` are those of mlflow.yml."""
    checked = stores.checked(settings)
    store = stores.find(command.place.project, checked)
    stores.tell()
    # A comparison's cell logs no model: hundreds of them would be logged.
    log_models = checked.log_models and parent_process() is None
    tracker = PatientTracker(_tracker(command, catalog, store, log_models))
    tracker.start(catch_up=command.versioned)  # else DVC may be about to replace what exists
    return tracker


def _tracker(command: Command, catalog: CatalogProtocol, store: Store, log_models: bool) -> Tracker:
    parameters = command.parameters
    if command.kind is Kind.PREDICTION:
        return ModelRegistration(parameters, catalog, command.root, store)
    if command.kind is Kind.COMPARISON:
        return ComparisonTracker(parameters, catalog, command.root, store)
    record = RunFolder(command.root, parameters.run.name).record
    return RunTracker(parameters, catalog, command.place.project, record, store, log_models)
