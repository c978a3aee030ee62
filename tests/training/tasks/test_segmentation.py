"""Segmentation: masks as PNG in, the best class of each pixel out; 255 is ignored everywhere."""

import io
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from pt4al.errors import InputError
from pt4al.masks import encode
from pt4al.training.tasks import segmentation

CAMVID = Path(__file__).parents[3].parent / "shared" / "data" / "camvid"
CLASSES = ["sky", "road", "car"]
VALUES = st.sampled_from([0, 1, 2, 255])
MASKS = arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)), elements=VALUES)


def answering(logits: torch.Tensor):
    return lambda images: logits


def logits_of(mask: torch.Tensor, confidence: float = 5.0) -> torch.Tensor:
    """Logits (B, 3, H, W) of a network that prefers the classes of a mask."""
    return confidence * torch.nn.functional.one_hot(mask, 3).permute(0, 3, 1, 2).float()


def least_confidence(probabilities: torch.Tensor) -> torch.Tensor:
    return 1 - probabilities.amax(1)


@given(masks=MASKS)
def test_masks_survive_their_files(masks):
    found = segmentation.targets(pd.Series([encode(mask) for mask in masks]), CLASSES)
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found, masks)


def test_value_that_is_no_class_is_named():
    labels = pd.Series([encode(np.full((2, 2), value, np.uint8)) for value in (2, 255, 7)])
    with pytest.raises(InputError, match="mask 2 holds the value 7: classes are 0 to 2"):
        segmentation.targets(labels, CLASSES)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (b"no picture", "mask 1 can't be read"),
        (
            encode(np.zeros((2, 3), np.uint8)),
            r"mask 1 is .* \(2, 3\), the first is \(2, 2\)",
        ),
    ],
)
def test_broken_mask_is_named(label, message):
    with pytest.raises(InputError, match=message):
        segmentation.targets(pd.Series([encode(np.zeros((2, 2), np.uint8)), label]), CLASSES)


def test_mask_in_colour_is_refused():
    encoded = io.BytesIO()
    Image.new("RGB", (2, 2)).save(encoded, "PNG")
    with pytest.raises(InputError, match="mask 0 has the shape"):
        segmentation.targets(pd.Series([encoded.getvalue()]), CLASSES)


def test_loss_is_the_mean_over_pixels_that_are_not_ignored():
    mask = torch.tensor([[[0, 1], [2, 255]]], dtype=torch.uint8)
    logits = torch.zeros(1, 3, 2, 2)
    logits[0, 0, 0, 0] = math.log(2)  # probabilities 1/2, 1/4, 1/4 at the first pixel
    found = segmentation.loss(answering(logits), torch.zeros(1), mask)
    assert found.tolist() == pytest.approx([(math.log(2) + 2 * math.log(3)) / 3])


def test_loss_of_an_image_of_which_all_is_ignored_is_nothing():
    logits = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    mask = torch.full((2, 4, 4), 255, dtype=torch.uint8)
    mask[1, 0, 0] = 1
    losses = segmentation.loss(answering(logits), torch.zeros(2), mask)
    losses.mean().backward()
    assert losses[0] == 0 < losses[1]
    assert logits.grad.isfinite().all()
    assert not logits.grad[0].any()


def test_weighted_loss_is_the_weighted_mean():
    mask = torch.tensor([[[0, 1]]], dtype=torch.uint8)
    logits = torch.zeros(1, 3, 1, 2)
    logits[0, 0, 0, 0] = math.log(2)
    found = segmentation.loss(answering(logits), torch.zeros(1), mask, torch.tensor([3.0, 1.0, 9.0]))
    assert found.tolist() == pytest.approx([(3 * math.log(2) + math.log(3)) / 4])


@given(masks=MASKS, weight=st.floats(0.1, 10))
def test_equal_weights_change_nothing(masks, weight):
    masks = torch.from_numpy(masks)
    logits = torch.randn(len(masks), 3, *masks.shape[1:], generator=torch.Generator().manual_seed(0))
    plain = segmentation.loss(answering(logits), torch.zeros(1), masks)
    weighted = segmentation.loss(answering(logits), torch.zeros(1), masks, torch.full((3,), weight))
    torch.testing.assert_close(weighted, plain, rtol=1e-4, atol=1e-5)


def test_class_weights_are_median_frequency_balancing():
    first, second = np.full((10, 10), 0, np.uint8), np.full((10, 10), 0, np.uint8)
    first[0] = 1  # a tenth of the one image that shows it
    first[9] = 255
    second[:, :5] = 2  # half of the one image that shows it
    found = segmentation.class_weights(torch.from_numpy(np.stack([first, second])), 4)
    frequency = np.array([(80 + 50) / 190, 10 / 90, 50 / 100])
    np.testing.assert_allclose(found, [*np.median(frequency) / frequency, 1], rtol=1e-6)


def test_class_weights_of_nothing_are_one():
    assert segmentation.class_weights(torch.full((2, 3, 3), 255, dtype=torch.uint8), 3).tolist() == [1, 1, 1]


def test_uncertainty_is_the_mean_of_its_map():
    logits = torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(0))
    for normalise in (False, True):
        asked = (answering(logits), torch.zeros(3), least_confidence, normalise)
        pixels = segmentation.uncertainty_map(*asked)
        assert pixels.shape == (3, 5, 6)
        torch.testing.assert_close(segmentation.uncertainty(*asked), pixels.mean((1, 2)))


def test_uncertainty_is_highest_where_the_network_is_undecided():
    logits = logits_of(torch.zeros(1, 4, 4, dtype=torch.long))
    logits[0, :, 2, 3] = 0
    pixels = segmentation.uncertainty_map(answering(logits), torch.zeros(1), least_confidence)
    assert int(pixels.argmax()) == 2 * 4 + 3
    assert pixels.max() == pytest.approx(2 / 3)


def test_outputs_are_the_best_class_of_each_pixel():
    mask = torch.tensor([[[0, 1], [2, 1]]])
    found = segmentation.outputs(answering(logits_of(mask)), torch.zeros(1))
    assert found.dtype == torch.uint8
    assert torch.equal(found, mask.to(torch.uint8))


def slow(predicted: np.ndarray, masks: np.ndarray) -> dict[str, float]:
    """The metrics by their definitions, one class after the other."""
    predicted, masks = predicted[masks != 255], masks[masks != 255]
    ious = {}
    for number, name in enumerate(CLASSES):
        if (masks == number).any():
            both, either = (predicted == number) & (masks == number), (predicted == number) | (masks == number)
            ious[f"iou_{name}"] = both.sum() / either.sum()
    miou = float(np.mean(list(ious.values()))) if ious else 0
    return {"miou": miou, "pixel_accuracy": (predicted == masks).mean() if len(masks) else 0, **ious}


@given(masks=MASKS, seed=st.integers(0, 9))
def test_metrics_are_those_of_their_definitions(masks, seed):
    predicted = np.random.default_rng(seed).integers(0, 3, masks.shape, np.uint8)
    found = segmentation.evaluate(predicted, torch.from_numpy(masks), CLASSES)
    assert found == pytest.approx(slow(predicted, masks))


@pytest.mark.skipif(not CAMVID.is_dir(), reason="the development data (CamVid) is not on this machine")
def test_true_masks_of_camvid_are_rated_perfect_and_their_rare_classes_weigh_most():
    table = pd.read_parquet(CAMVID / "val.parquet", columns=["mask"]).head(20)
    names = ["sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist"]
    masks = [np.array(Image.open(io.BytesIO(mask["bytes"]))) for mask in table["mask"]]
    labels = pd.Series([encode(np.where(mask == 11, 255, mask).astype(np.uint8)) for mask in masks])
    targets = segmentation.targets(labels, names)
    found = segmentation.evaluate(np.where(targets == 255, 0, targets), targets, names)
    assert found["miou"] == found["pixel_accuracy"] == 1
    weights = dict(zip(names, segmentation.class_weights(targets, len(names)).tolist(), strict=True))
    assert weights["road"] < weights["car"] < weights["pole"]


@given(masks=MASKS, seed=st.integers(0, 9))
def test_outcomes_count_the_pixels_of_each_pair_of_classes(masks, seed):
    predicted = np.random.default_rng(seed).integers(0, 3, masks.shape, np.uint8)
    found = segmentation.outcomes(predicted, torch.from_numpy(masks), CLASSES)
    counted = {(row.label, row.predicted): row.pixels for row in found.itertuples()}
    pairs = {(CLASSES[a], CLASSES[b]): ((masks == a) & (predicted == b)).sum() for a in range(3) for b in range(3)}
    assert counted == {pair: pixels for pair, pixels in pairs.items() if pixels}


@given(masks=MASKS, seed=st.integers(0, 99))
def test_mean_iou_of_rows_is_what_the_evaluation_of_these_images_says(masks, seed):
    rng = np.random.default_rng(seed)
    outputs = rng.integers(0, 3, masks.shape, np.uint8)
    rows = rng.integers(0, len(masks), len(masks) + 2)
    targets = torch.from_numpy(masks)
    told = segmentation.mean_iou_of(outputs, targets, CLASSES)(rows)
    assert told == pytest.approx(segmentation.evaluate(outputs[rows], targets[rows], CLASSES)["miou"])
