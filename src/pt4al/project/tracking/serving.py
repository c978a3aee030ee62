"""The logged model: MLflow runs this file to load it, so that nothing is pickled.

`mlflow.pyfunc.load_model(uri).predict(pictures)` takes pictures as files (a list of paths, or a
table with a column `path`), encoded (bytes of PNG or JPEG files: a list, or a column `image`, in
base64 where they come as JSON), or decoded as the pool is: uint8 (N, channels, height, width), or
channels last. Files and bytes are decoded and fitted as the pool's pictures were.

It answers with a table of `label` (class name) and `probability`; a model of segmentation with the
number of each pixel's class, uint8 (N, height, width).
"""

import base64
import binascii
import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import torch
from mlflow.exceptions import MlflowException

from pt4al.images.collection import Picture
from pt4al.images.decode import Frame, decode
from pt4al.images.opening import BadPicture
from pt4al.training import networks
from pt4al.training.engine import scoring_minibatch
from pt4al.training.folding import folded
from pt4al.training.tasks import classification, segmentation

PATHS = "path"  # a column
ENCODED = "image"  # a column
TAKEN = (
    "give paths of pictures (a list, or a table with a column `path`), the bytes of PNG or JPEG "
    "files (a list, or a column `image`, in base64 as JSON), or an array of uint8"
)


class Model(mlflow.pyfunc.PythonModel):
    """A network, the names of its classes, and what its pictures look like."""

    def load_context(self, context: Any) -> None:
        """Load the network and the names of its classes; see mlflow.pyfunc.PythonModel."""
        network = networks.load(Path(context.artifacts["network"]))
        if "backbone" in context.artifacts:  # a probe, and the network whose features it reads
            network = networks.assemble(networks.load(Path(context.artifacts["backbone"])), network)
        looks = _read(context.artifacts["looks"])
        self.network = folded(network).to(memory_format=torch.channels_last)
        self.classes = _read(context.artifacts["classes"])
        self.frame = Frame(**looks["frame"])
        self.shape = tuple(looks["shape"])

    # The hint is for MLflow: it makes no schema of this one, and others may be given.
    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict | None = None
    ) -> pd.DataFrame | np.ndarray:
        """Answer to pictures, however they are given; see the top of this file.

        Raises
        ------
        MlflowException
            If a picture can't be decoded, or this is none of what it takes.
        """
        array = _array(model_input)
        if array is not None:
            return self._answer(self._checked(array))
        pictures = _pictures(model_input)
        size = scoring_minibatch("cpu", _shape(self.frame))
        answers = [
            self._answer(self._decoded(pictures[first : first + size]))
            for first in range(0, len(pictures), size)
        ]
        if self.network.dense:
            return np.concatenate(answers)
        return pd.concat(answers, ignore_index=True)

    def _answer(self, images: np.ndarray) -> pd.DataFrame | np.ndarray:
        size = scoring_minibatch("cpu", images.shape[1:])
        outputs = segmentation.outputs if self.network.dense else classification.class_probabilities
        with torch.inference_mode():
            parts = [
                outputs(self.network, torch.from_numpy(images[first : first + size])).numpy()
                for first in range(0, len(images), size)
            ]
        answers = np.concatenate(parts)
        if self.network.dense:
            return answers
        best = answers.argmax(axis=1)
        return pd.DataFrame(
            {
                "label": [self.classes[number] for number in best],
                "probability": answers.max(axis=1),
            }
        )

    def _decoded(self, pictures: list[tuple[str, Picture]]) -> np.ndarray:
        images = []
        for name, picture in pictures:
            try:
                images.append(decode(picture, self.frame))
            except BadPicture as bad:
                raise _refusal(f"{name}: {bad}") from None
        return np.stack(images)

    def _checked(self, images: np.ndarray) -> np.ndarray:
        """Return an array as the network takes it; of JSON's whole numbers, too."""
        shapes = dict.fromkeys([self.shape, _shape(self.frame)])
        last = images.shape[-1:] + images.shape[1:-1]
        if images.ndim == 4 and images.shape[1:] not in shapes and last in shapes:
            images = images.transpose(0, 3, 1, 2)
        if images.ndim != 4 or images.shape[1:] not in shapes or not len(images):
            wanted = " or ".join(str(("N", *shape)).replace("'", "") for shape in shapes)
            raise _refusal(
                f"images are an array {wanted}, and this one is {images.shape}: pictures of other "
                "sizes are fitted if they are given as files or bytes"
            )
        if images.dtype != np.uint8:
            whole = np.issubdtype(images.dtype, np.integer)
            if not whole or images.min() < 0 or images.max() > 255:
                raise _refusal(
                    f"images are whole numbers from 0 to 255 (uint8), and these are {images.dtype}"
                    f" from {images.min():g} to {images.max():g}"
                )
        return np.array(images, np.uint8)


def _shape(frame: Frame) -> tuple[int, int, int]:
    return frame.channels, frame.height, frame.width


def _read(path: str) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def _array(given: Any) -> np.ndarray | None:
    """Return images that are decoded already, if that is what is given."""
    if isinstance(given, torch.Tensor):
        return given.numpy()
    if isinstance(given, np.ndarray) and np.issubdtype(given.dtype, np.number):
        return given
    return None


def _pictures(given: Any) -> list[tuple[str, Picture]]:
    """Return pictures that are files or bytes, and what to call each."""
    if isinstance(given, dict):
        given = pd.DataFrame(given)
    if isinstance(given, pd.DataFrame):
        columns = [name for name in (PATHS, ENCODED) if name in given]
        if len(columns) != 1:
            raise _refusal(f"a table with the columns {', '.join(map(str, given))}: {TAKEN}")
        values = list(given[columns[0]])
        encoded = columns[0] == ENCODED
    else:
        single = isinstance(given, str | bytes | Path) or not hasattr(given, "__iter__")
        values = [given] if single else list(given)
        encoded = False
    if not values:
        raise _refusal(f"no pictures: {TAKEN}")
    return [_picture(number, value, encoded) for number, value in enumerate(values)]


def _picture(number: int, value: Any, encoded: bool) -> tuple[str, Picture]:
    if isinstance(value, bytes | bytearray):
        return f"picture {number}", bytes(value)
    if isinstance(value, str) and encoded:
        try:
            return f"picture {number}", base64.b64decode("".join(value.split()), validate=True)
        except binascii.Error:
            raise _refusal(f"picture {number} of column `{ENCODED}` is no base64") from None
    if isinstance(value, str | Path):
        return str(value), Path(value).read_bytes
    raise _refusal(f"picture {number} is of type {type(value).__name__}: {TAKEN}")


def _refusal(sentence: str) -> MlflowException:
    return MlflowException.invalid_parameter_value(sentence)


mlflow.models.set_model(Model())
