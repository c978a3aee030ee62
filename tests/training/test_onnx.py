"""An ONNX file: raw pixels in, the network's own answers out, and a refusal where they differ."""

import json
import sys

import numpy as np
import pytest
import torch

from pt4al.errors import InputError
from pt4al.training import onnx
from pt4al.training.networks import Network

FRAME = {"channels": 1, "height": 28, "width": 28, "fit": "crop", "background": 255}
needed = [pytest.importorskip(name) for name in onnx.LIBRARIES]


def session(file: bytes):
    import onnxruntime

    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def likely(logits: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(logits).softmax(1)


@pytest.fixture(scope="module")
def programs() -> list[torch.onnx.ONNXProgram]:
    """What torch has made of the network that was exported."""
    return []


@pytest.fixture(scope="module")
def exported(fashion, make_network, programs) -> tuple[Network, torch.Tensor, bytes]:
    pool, _ = fashion
    images, network = pool.gather(np.arange(40)), make_network().eval()
    export = torch.onnx.export
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            torch.onnx, "export", lambda *given, **named: programs.append(export(*given, **named)) or programs[0]
        )
        return network, images, onnx.export(network, images, list("abcdefghij"), FRAME)


@pytest.mark.parametrize("number", [1, 2, 7, 40])
def test_any_number_of_raw_pictures_is_answered_as_the_network_does(exported, number: int) -> None:
    network, images, file = exported
    (logits,) = session(file).run(None, {"images": images[:number].numpy()})
    with torch.inference_mode():
        expected = network(images[:number])
    torch.testing.assert_close(likely(logits), expected.softmax(1), atol=onnx.TOLERANCE, rtol=0)
    assert (torch.from_numpy(logits).argmax(1) == expected.argmax(1)).all()


def test_classes_and_frame_travel_with_the_file(exported) -> None:
    *_, file = exported
    facts = session(file).get_modelmeta().custom_metadata_map
    assert json.loads(facts["classes"]) == list("abcdefghij")
    assert json.loads(facts["frame"]) == FRAME


def test_one_picture_is_enough(exported) -> None:
    network, images, file = exported
    alone = onnx.export(network, images[:1], list("abcdefghij"), FRAME)
    ours, theirs = (session(some).run(None, {"images": images.numpy()})[0] for some in (alone, file))
    np.testing.assert_array_equal(ours, theirs)


def test_a_network_of_pixels_answers_for_each_pixel(make_network) -> None:
    network = make_network(outputs=3, name="unet_small", dense=True, channels=3).eval()
    images = torch.randint(256, (3, 3, 32, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    file = onnx.export(network, images, ["road", "sky", "tree"], FRAME)
    (logits,) = session(file).run(None, {"images": images.numpy()})
    assert logits.shape == (3, 3, 32, 48)


@pytest.mark.parametrize("wrong", [5.0, np.nan], ids=["other", "no number"])
def test_a_file_that_answers_otherwise_is_refused(
    exported, programs, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    import onnxruntime

    network, images, _ = exported
    monkeypatch.setattr(torch.onnx, "export", lambda *given, **named: programs[0])

    class Wrong(onnxruntime.InferenceSession):
        def run(self, *arguments: object) -> list[np.ndarray]:
            (logits,) = super().run(*arguments)
            logits[0, 0] += wrong
            return [logits]

    monkeypatch.setattr(onnxruntime, "InferenceSession", Wrong)
    with pytest.raises(InputError, match="the ONNX file differs by"):
        onnx.export(network, images, list("abcdefghij"), FRAME)


@pytest.mark.parametrize("name", onnx.LIBRARIES)
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=f"{name} is missing.*pip install"):
        onnx.require()
