"""What MLflow loads answers to pictures in any form: with class names, or with the class of each pixel."""

import base64
import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from mlflow.exceptions import MlflowException
from PIL import Image

from pt4al.images.decode import Frame, decode
from pt4al.project.tracking.serving import Model
from pt4al.training import networks

FRAME = Frame(channels=1, height=12, width=16, fit="letterbox", background=9)
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 1, 12, 16), np.uint8)


@pytest.fixture
def load(tmp_path: Path):
    """Load a model of a network with two classes, dense or not."""

    def make(dense: bool = False) -> Model:
        generator = torch.Generator().manual_seed(0)
        network = networks.build("resnet8_w16", 2, ([120.0], [70.0]), generator, dense=dense)
        networks.save(network, tmp_path / "network.safetensors")
        (tmp_path / "classes.json").write_text(json.dumps(["cat", "dog"]))
        (tmp_path / "looks.json").write_text(json.dumps({"frame": asdict(FRAME), "shape": [1, 12, 16]}))
        files = {"network": "network.safetensors", "classes": "classes.json", "looks": "looks.json"}
        model = Model()
        model.load_context(SimpleNamespace(artifacts={key: str(tmp_path / name) for key, name in files.items()}))
        return model

    return make


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Photos in colour, of other sizes than the network's."""
    rng = np.random.default_rng(1)
    paths = [tmp_path / "one.png", tmp_path / "two.jpg", tmp_path / "three.png"]
    for number, path in enumerate(paths):
        Image.fromarray(rng.integers(0, 256, (20 + 10 * number, 50, 3), np.uint8)).save(path)
    return paths


def test_classification_answers_with_names_and_probabilities(load):
    answers = load().predict(None, IMAGES)
    assert set(answers["label"]) <= {"cat", "dog"}
    assert answers["probability"].between(0.5, 1).all()


def test_segmentation_answers_with_the_class_of_each_pixel(load, files):
    model = load(dense=True)
    answers = model.predict(None, IMAGES)
    assert answers.shape == (3, 12, 16)
    assert answers.dtype == np.uint8
    assert set(np.unique(answers)) <= {0, 1}
    assert model.predict(None, files).shape == (3, 12, 16)


def test_pictures_in_any_form_are_decoded_and_fitted_as_the_pools_and_answered_the_same(load, files):
    model = load()
    decoded = np.stack([decode(path.read_bytes(), FRAME) for path in files])
    expected = model.predict(None, decoded)
    encoded = [path.read_bytes() for path in files]
    texts = [base64.encodebytes(data).decode() for data in encoded]  # in lines, as MLflow writes it
    forms = {
        "paths": [str(path) for path in files],
        "an array of paths": np.array([str(path) for path in files]),
        "a column of paths": pd.DataFrame({"id": [1, 2, 3], "path": [str(path) for path in files]}),
        "bytes": encoded,
        "a column of bytes": pd.DataFrame({"image": encoded}),
        "base64": pd.DataFrame({"image": texts}),
        "channels last": decoded.transpose(0, 2, 3, 1),
        "whole numbers, of JSON": decoded.astype(np.int64),
        "a tensor": torch.from_numpy(decoded),
    }
    for name, form in forms.items():
        pd.testing.assert_frame_equal(model.predict(None, form), expected, obj=name)
    pd.testing.assert_frame_equal(model.predict(None, str(files[0])), expected.head(1))


WRONG = {
    "no such file": (["/nowhere.png"], r"^/nowhere.png: can't be read \(No such file or directory\)$"),
    "no picture": ([b"nothing"], "^picture 0: not a picture"),
    "another size": (np.zeros((2, 1, 5, 5), np.uint8), r"an array \(N, 1, 12, 16\), and this one is \(2, 1, 5, 5\)"),
    "one image": (np.zeros((1, 12, 16), np.uint8), "and this one is"),
    "fractions": (IMAGES / 255, "whole numbers from 0 to 255"),
    "too large": (IMAGES.astype(int) + 300, "whole numbers from 0 to 255"),
    "a table of something else": (pd.DataFrame({"x": [1]}), "the columns x: give paths"),
    "numbers in a list": ([1, 2], "picture 0 is of type int: give paths"),
    "no base64": (pd.DataFrame({"image": ["*"]}), "no base64"),
    "no pictures": ([], "no pictures: give paths"),
    "nothing": (None, "of type NoneType"),
}


@pytest.mark.parametrize("given, told", WRONG.values(), ids=WRONG)
def test_what_it_cannot_take_is_one_sentence(load, given, told):
    with pytest.raises(MlflowException, match=told) as refused:
        load().predict(None, given)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300
