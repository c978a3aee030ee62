"""A network as an ONNX file, checked against the network itself on real images."""

import importlib
import io
import json
import logging
import warnings

import numpy as np
import torch

from pt4al.errors import InputError
from pt4al.training.networks import Network

LIBRARIES = ("onnx", "onnxscript", "onnxruntime")
TOLERANCE = 1e-4  # of probabilities


def export(network: Network, images: torch.Tensor, classes: list[str], frame: dict) -> bytes:
    """Return an ONNX file: `images`, raw uint8 (N, C, H, W), N being free, to `logits`.

    Its metadata has the names of the classes (`classes`) and what images look like (`frame`), as
    JSON.

    Parameters
    ----------
    images
        Real ones, on which both are compared.
    frame
        `channels`, `height`, `width`, `fit`, `background`: as of `images.decode.Frame`.

    Raises
    ------
    InputError
        If the libraries for it are not installed, or the answers differ by more than 1e-4 in a
        probability, which leaves room for another class only where two are as likely.
    """
    require()
    import onnx
    import onnxruntime

    network = network.eval().cpu()
    example = images[:2] if len(images) > 1 else images.repeat(2, 1, 1, 1)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (example,),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto
    for key, value in {"classes": classes, "frame": frame}.items():
        model.metadata_props.append(onnx.StringStringEntryProto(key=key, value=json.dumps(value)))
    file = io.BytesIO()
    onnx.save(model, file)
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    (answered,) = session.run(None, {"images": images.numpy()})
    _compare(network, images, answered)
    return file.getvalue()


def require() -> None:
    """Raise InputError if a library for it is not installed."""
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            raise InputError(
                f"`predict.onnx` needs more libraries ({name} is missing): pip install "
                "'pt4al[onnx]'"
            ) from None


def _compare(network: Network, images: torch.Tensor, answered: np.ndarray) -> None:
    with torch.inference_mode():
        expected = network(images).softmax(1).numpy()
    answers = torch.from_numpy(answered).softmax(1).numpy()
    worst = float(np.abs(expected - answers).max())
    if not worst <= TOLERANCE:  # so that no number at all is refused too
        raise InputError(
            f"the ONNX file differs by {worst:.2g} in a probability, more than {TOLERANCE:g}: "
            "it is not kept"
        )
