"""The logged model: MLflow runs this file to load it, so that nothing is pickled.

`mlflow.pyfunc.load_model(uri).predict(images)` takes uint8 images (N, channels, height, width)
and answers with a table of `label` (class name) and `probability`; a model of segmentation with
the number of each pixel's class, uint8 (N, height, width).
"""

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import torch

from pt4al.training import networks
from pt4al.training.tasks.classification import probabilities


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context: Any) -> None:
        """Load the network and the names of its classes; see mlflow.pyfunc.PythonModel."""
        network = networks.load(Path(context.artifacts["network"]))
        if "backbone" in context.artifacts:  # a probe, and the network whose features it reads
            network = networks.assemble(networks.load(Path(context.artifacts["backbone"])), network)
        self.network = network.eval()
        self.classes = json.loads(Path(context.artifacts["classes"]).read_text(encoding="utf-8"))

    def predict(
        self, context: Any, model_input: np.ndarray, params: dict | None = None
    ) -> pd.DataFrame | np.ndarray:
        with torch.inference_mode():
            logits = self.network(torch.from_numpy(np.array(model_input, np.uint8)))
        if self.network.dense:
            return logits.argmax(1).to(torch.uint8).numpy()
        likely = probabilities(logits.numpy())
        return pd.DataFrame(
            {
                "label": [self.classes[best] for best in likely.argmax(axis=1)],
                "probability": likely.max(axis=1),
            }
        )


mlflow.models.set_model(Model())
