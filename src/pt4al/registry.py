"""MLflow's registry: give the model of a cycle a name and an alias by which others find it."""

import logging
from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol

from pt4al.errors import InputError
from pt4al.parameters import Parameters
from pt4al.pipelines.predict.models import find
from pt4al.tracking import open_experiment

logger = logging.getLogger(__name__)


class Registration:
    """Stands where a run's `Tracking` does: predictions are no run, and leave nothing in MLflow but a name."""

    chart = None

    def __init__(self, parameters: Parameters, catalog: CatalogProtocol, project: Path, **settings: Any):
        self._parameters, self._catalog, self._project, self._settings = parameters, catalog, project, settings

    def start(self) -> None:
        """Do nothing yet."""

    def catch_up(self) -> None:
        """Do nothing."""

    def stop(self, status: str) -> None:
        """Register the model, if somebody wants that and its predictions went well."""
        alias = self._parameters.predict.register_as
        if status != "FINISHED" or alias is None:
            return
        import mlflow

        client, experiment = open_experiment(
            self._project, self._settings["tracking_uri"], self._settings["experiment"]
        )
        found = find(
            self._catalog.load("runs"),
            self._catalog.load("parameters"),
            self._parameters.run.name,
            self._parameters.predict.cycle,
        )
        run, name = found.parameters.run, found.parameters.run.name
        wanted = f"{name}-s{run.seed}-c{found.cycle}"
        logged = client.search_logged_models([experiment], f"name = '{wanted}'")
        if not logged:
            raise InputError(
                f"MLflow has no model {wanted!r}: it was logged without models (log_models in mlflow.yml), or the "
                "store has gone"
            )
        version = mlflow.register_model(f"models:/{logged[0].model_id}", name).version
        client.set_registered_model_alias(name, alias, version)
        logger.info("registered: mlflow.pyfunc.load_model('models:/%s@%s') is cycle %d's", name, alias, found.cycle)
