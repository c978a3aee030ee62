"""What MLflow loads answers with class names, or with the class of each pixel."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pt4al.project.tracking.serving import Model
from pt4al.training import networks


@pytest.fixture
def load(tmp_path: Path):
    """Load a model of a network with two classes, dense or not."""

    def make(dense: bool) -> Model:
        generator = torch.Generator().manual_seed(0)
        network = networks.build("resnet8_w16", 2, ([120.0], [70.0]), generator, dense=dense)
        networks.save(network, tmp_path / "network.safetensors")
        (tmp_path / "classes.json").write_text(json.dumps(["cat", "dog"]))
        files = {"network": str(tmp_path / "network.safetensors"), "classes": str(tmp_path / "classes.json")}
        model = Model()
        model.load_context(SimpleNamespace(artifacts=files))
        return model

    return make


IMAGES = np.random.default_rng(0).integers(0, 256, (3, 1, 12, 16), np.uint8)


def test_classification_answers_with_names_and_probabilities(load):
    answers = load(dense=False).predict(None, IMAGES)
    assert set(answers["label"]) <= {"cat", "dog"}
    assert answers["probability"].between(0.5, 1).all()


def test_segmentation_answers_with_the_class_of_each_pixel(load):
    answers = load(dense=True).predict(None, IMAGES)
    assert answers.shape == (3, 12, 16)
    assert answers.dtype == np.uint8
    assert set(np.unique(answers)) <= {0, 1}
