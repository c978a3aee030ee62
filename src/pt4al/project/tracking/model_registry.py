"""MLflow's registry: give the model of a cycle a name and an alias by which others find it."""

import logging
from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol

from pt4al.errors import InputError
from pt4al.pipelines.predict.models import Finished, find
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.runs.folder import RunFolder
from pt4al.project.tracking.run import Rows, models
from pt4al.project.tracking.store import Store
from pt4al.project.tracking.tracker import Tracker

logger = logging.getLogger(__name__)


class ModelRegistration(Tracker):
    """Registers the model that predicts. Predictions have no row of their own."""

    required = True

    def __init__(self, parameters: Parameters, catalog: CatalogProtocol, root: Path, store: Store):
        self._parameters = parameters
        self._catalog = catalog
        self._root = root
        self._store = store

    def stop(self, status: str) -> None:
        """Register the model under `predict.register_as`, once its predictions are finished."""
        alias = self._parameters.predict.register_as
        if status != "FINISHED" or alias is None:
            return
        import mlflow

        client, experiment = self._store.connect()
        model = find(
            self._catalog.load("runs"),
            self._catalog.load("parameters"),
            self._parameters.run.name,
            self._parameters.predict.cycle,
        )
        name = model.parameters.run.name
        logged = self._logged(client, experiment, model)
        if not logged:
            raise InputError(
                f"MLflow has no model of cycle {model.cycle} of run {name!r}: it was logged without"
                " models (log_models in mlflow.yml), or the store has gone"
            )
        with self._store.chosen():
            version = mlflow.register_model(f"models:/{logged[0].model_id}", name).version
        client.set_registered_model_alias(name, alias, version)
        logger.info(
            "registered: mlflow.pyfunc.load_model('models:/%s@%s') is cycle %d's",
            name,
            alias,
            model.cycle,
        )

    def _logged(self, client: Any, experiment: str, model: Finished) -> list[Any]:
        """The models of the cycle's own row; a row that was removed has none any more."""
        folder = RunFolder(self._root, model.parameters.run.name)
        run = Rows(folder.record).read().get("run_id")
        of_run = f"tags.`mlflow.parentRunId` = '{run}' and tags.`al.cycle` = '{model.cycle}'"
        return [
            logged
            for row in client.search_runs([experiment], of_run)
            for logged in models(client, experiment, row.info.run_id)
        ]
