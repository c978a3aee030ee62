"""The one training loop and the one scoring loop, on real images where learning matters."""

import copy
import io
import math
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from pt4al.errors import InputError
from pt4al.images.augment import Augmentation
from pt4al.images.pool import ImagePool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.randomness import stream
from pt4al.training import engine
from pt4al.training.engine import Training, fit, predict
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification
from support.hardware import HARDWARE

TOLERANCE = 1e-4  # fp32: folded batch norms and other minibatches round differently


def weights(network) -> bytes:
    return b"".join(tensor.numpy().tobytes() for tensor in network.state_dict().values())


def levels(count: int) -> np.ndarray:
    """Images that show their own row number as their grey level."""
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 1, 8, 8)).copy()


def level(images: torch.Tensor) -> torch.Tensor:
    return images[:, 0, 0, 0]


def plain(network, images: torch.Tensor) -> torch.Tensor:
    """A loss for which targets do not matter."""
    return network(images).square().mean(1)


@pytest.fixture
def trained(fashion, make_network, make_schedule):
    """A network, trained a little on real images."""
    pool, targets = fashion
    network = make_network()
    fit(
        network,
        classification.loss,
        pool,
        Training(make_schedule(minibatch=64), stream(0, "fit")),
        HARDWARE,
        targets=targets,
    )
    return network


def test_training_lowers_the_loss_on_real_images(fashion, make_network, make_schedule):
    pool, targets = fashion
    network, schedule = make_network(), make_schedule(epochs=6, minibatch=32, shape="one_cycle", learning_rate=0.1)
    before = predict(network, classification.loss, pool, HARDWARE, targets=targets).mean()
    curve = fit(network, classification.loss, pool, Training(schedule, stream(0, "fit")), HARDWARE, targets=targets)
    after = predict(network, classification.loss, pool, HARDWARE, targets=targets)
    assert after.mean() < before / 2
    assert curve["loss"].iloc[-1] < curve["loss"].iloc[0] / 2


@pytest.fixture
def colourful(make_pool) -> ImagePool:
    """Plain images that are red if they are bright and blue if they are dark, and light on the left."""
    grey = np.random.default_rng(0).integers(40, 200, (64, 1, 1, 1)) + np.arange(40, 0, -5)
    tint = np.array([1, 0, -1])[:, None, None] * np.where(grey > 120, 40, -40)
    images = np.clip(grey + tint, 0, 255).astype(np.uint8)
    return ImagePool(np.broadcast_to(images, (64, 3, 8, 8)).copy(), make_pool(64).index, [120.0] * 3, [60.0] * 3, "")


@pytest.mark.parametrize("name", [name for name, task in PRETEXT_TASKS.items() if task.trains])
def test_training_lowers_the_pretext_loss(fashion, colourful, make_network, make_schedule, name):
    task = PRETEXT_TASKS[name]
    pool, rows = (colourful, np.arange(64)) if task.dense else (fashion[0], np.arange(128))
    network = make_network(task.outputs, dense=task.dense, channels=pool.shape[0])
    before = predict(network, task.loss, pool, HARDWARE, rows).mean()
    # At a constant rate the batch norms' running statistics lag behind the weights.
    fit(
        network,
        task.loss,
        pool,
        Training(make_schedule(epochs=4, shape="one_cycle"), stream(0, "fit")),
        HARDWARE,
        rows=rows,
    )
    assert predict(network, task.loss, pool, HARDWARE, rows).mean() < before


def test_same_seed_gives_the_same_weights_to_the_byte(make_pool, make_network, make_schedule):
    pool, augment = make_pool(40), Augmentation(crop_padding=2, flip=True, smallest_crop=0.5)

    def train(seed: int) -> tuple[bytes, pd.DataFrame]:
        network = make_network(seed=seed)
        curve = fit(
            network, plain, pool, Training(make_schedule(epochs=2), stream(seed, "fit"), augment=augment), HARDWARE
        )
        return weights(network), curve

    (first, curve), (again, again_curve), (other, _) = train(0), train(0), train(1)
    assert first == again != other
    pd.testing.assert_frame_equal(curve, again_curve, check_exact=True)


def test_batch_norms_learn_even_if_the_network_was_last_used_for_scoring(make_pool, make_network, make_schedule):
    network = make_network().eval()
    before = network.trunk[1].running_mean.clone()
    fit(network, plain, make_pool(20), Training(make_schedule(), stream(0, "fit")), HARDWARE)
    assert not torch.equal(network.trunk[1].running_mean, before)


def test_order_of_images_follows_the_generator(make_pool, make_network, make_schedule):
    def train(seed: int) -> bytes:
        network = make_network()
        fit(network, plain, make_pool(40), Training(make_schedule(), stream(seed, "fit")), HARDWARE)
        return weights(network)

    assert train(0) != train(1)


def test_global_generators_are_left_alone(make_pool, make_network, make_schedule):
    before, numpys = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    network, augment = make_network(), Augmentation(crop_padding=2, flip=True, smallest_crop=0.5)
    fit(network, plain, make_pool(20), Training(make_schedule(), stream(0, "fit"), augment=augment), HARDWARE)
    predict(network, plain, make_pool(20), HARDWARE)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpys[1])  # noqa: NPY002


@pytest.mark.parametrize("rows", [None, [31, 4, 17, 4, 9, 0, 22]])
def test_every_image_comes_once_an_epoch_with_its_own_target(make_pool, make_network, make_schedule, rows):
    pool, seen = make_pool(levels(40)), []
    rows = None if rows is None else np.array(rows)
    expected = np.arange(40) if rows is None else rows

    def loss(network, images, targets):
        seen.extend(zip(level(images).tolist(), targets.tolist(), strict=True))
        return plain(network, images)

    targets = torch.from_numpy(expected * 10 + 1)
    schedule = make_schedule(epochs=3, minibatch=8 if rows is None else 7)
    fit(make_network(), loss, pool, Training(schedule, stream(0, "fit")), HARDWARE, rows=rows, targets=targets)
    assert all(target == 10 * image + 1 for image, target in seen)
    for epoch in range(3):
        shown = [image for image, _ in seen[epoch * len(expected) : (epoch + 1) * len(expected)]]
        assert sorted(shown) == sorted(expected)


def test_minibatches_are_all_whole_where_the_training_set_is_no_multiple(make_pool, make_network, make_schedule):
    shown = []

    def loss(network, images):
        shown.append(level(images).tolist())
        return plain(network, images)

    fit(
        make_network(),
        loss,
        make_pool(levels(10)),
        Training(make_schedule(epochs=4, minibatch=4), stream(0, "fit")),
        HARDWARE,
    )
    assert [len(images) for images in shown] == [4] * 10
    assert sorted(image for images in shown for image in images) == sorted([*range(10)] * 4)


def test_fewer_images_than_a_minibatch_are_one_minibatch(make_pool, make_network, make_schedule):
    sizes = []

    def loss(network, images):
        sizes.append(len(images))
        return plain(network, images)

    curve = fit(
        make_network(), loss, make_pool(5), Training(make_schedule(minimum_steps=7), stream(0, "fit")), HARDWARE
    )
    assert sizes == [5] * 7
    assert list(curve["epoch"]) == [1, 2, 3, 4, 5, 6, 7]


def test_minimum_of_steps_is_kept_and_the_schedule_stretches_over_them(make_pool, make_network, make_schedule):
    schedule = make_schedule(epochs=1, minimum_steps=20, shape="one_cycle", learning_rate=0.1)
    curve = fit(make_network(), plain, make_pool(64), Training(schedule, stream(0, "fit")), HARDWARE)
    assert curve["steps"].iloc[-1] == 20
    assert curve["learning_rate"].idxmax() == 0  # its peak lies at step 4, the end of the first of five epochs
    assert curve["learning_rate"].iloc[-1] == pytest.approx(0.1 * (1 - 20 / 21) / 0.8)


def test_curve_has_the_mean_loss_and_the_last_rate_of_each_epoch(make_pool, make_network, make_schedule):
    schedule, noted = make_schedule(epochs=2.5, minibatch=7, shape="step"), []

    def loss(network, images):
        losses = plain(network, images)
        noted.append(float(losses.detach().mean()))
        return losses

    curve = fit(make_network(), loss, make_pool(20), Training(schedule, stream(0, "fit")), HARDWARE)
    assert len(noted) == schedule.steps(20) == 8
    ends = [3, 6, 8]  # an epoch of 20 images is 3 minibatches of 7; the last one is cut short
    assert list(curve["epoch"]) == [1, 2, 3]
    assert list(curve["steps"]) == ends
    means = [np.mean(noted[first:last]) for first, last in zip([0, *ends], ends, strict=False)]
    assert list(curve["loss"]) == pytest.approx(means, rel=1e-5)
    rates = [0.05 * schedule.factor(end / 9) for end in ends]
    assert list(curve["learning_rate"]) == pytest.approx(rates)


def test_augmented_images_are_what_the_network_learns_from(make_pool, make_network, make_schedule):
    seen = []

    class Inverse(Augmentation):
        def __call__(self, images, generator, *targets):
            return 255 - images, *targets

    def loss(network, images):
        seen.extend(level(images).tolist())
        return plain(network, images)

    augment = Inverse(crop_padding=0, flip=False, smallest_crop=1)
    fit(
        make_network(),
        loss,
        make_pool(levels(20)),
        Training(make_schedule(minibatch=10), stream(0, "fit"), augment=augment),
        HARDWARE,
    )
    assert sorted(seen) == [255 - row for row in reversed(range(20))]


@pytest.mark.parametrize("rows", [None, [5, 39, 5, 0]])
def test_predictions_keep_the_order_of_rows_and_of_targets(make_pool, make_network, rows):
    rows = None if rows is None else np.array(rows)
    expected = np.arange(40) if rows is None else rows
    both = lambda network, images, targets: torch.stack([level(images), targets], 1)  # noqa: E731
    found = predict(make_network(), both, make_pool(levels(40)), HARDWARE, rows, torch.from_numpy(expected * 3))
    np.testing.assert_array_equal(found, np.stack([expected, expected * 3], 1))


def test_predictions_are_those_of_the_network_in_evaluation_mode(fashion, trained):
    pool = fashion[0]
    found = predict(trained, classification.outputs, pool, Hardware("cpu", "fp32"))
    with torch.inference_mode():
        expected = copy.deepcopy(trained).eval()(pool.gather(np.arange(len(pool)))).numpy()
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_predicting_leaves_the_network_as_it_was(fashion, trained):
    before, modes = weights(trained), [module.training for module in trained.modules()]
    names = [name for name, _ in trained.named_modules()]
    predict(trained, classification.outputs, fashion[0], HARDWARE, np.arange(20))
    assert weights(trained) == before
    assert [module.training for module in trained.modules()] == modes
    assert [name for name, _ in trained.named_modules()] == names
    assert all(weight.requires_grad for weight in trained.parameters())


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_predictions_do_not_depend_on_the_scoring_minibatch(fashion, trained, monkeypatch, size):
    pool, rows = fashion[0], np.arange(50)
    expected = predict(trained, classification.outputs, pool, HARDWARE, rows)
    monkeypatch.setattr(engine, "SCORING_MINIBATCH", {"cpu": size})
    found = predict(trained, classification.outputs, pool, HARDWARE, rows)
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_bf16_trains_scores_and_keeps_weights_in_full_precision(fashion, make_network, make_schedule):
    pool, targets = fashion
    network, hardware, rows = make_network(), Hardware("cpu", "bf16"), np.arange(64)
    schedule = make_schedule(minibatch=32)
    curve = fit(
        network,
        classification.loss,
        pool,
        Training(schedule, stream(0, "fit")),
        hardware,
        rows=rows,
        targets=targets[:64],
    )
    assert math.isfinite(curve["loss"].iloc[-1])
    assert all(weight.dtype == torch.float32 for weight in network.parameters())
    found = predict(network, classification.outputs, pool, hardware, rows)
    assert found.dtype == np.float32
    full = predict(network, classification.outputs, pool, HARDWARE, rows)
    assert np.abs(found - full).max() < 0.05 * np.abs(full).max()


def test_whole_numbers_are_predicted_as_they_are_and_others_in_single_precision(make_pool, make_network):
    pool = make_pool(levels(40))
    whole = predict(make_network(), lambda network, images: level(images), pool, HARDWARE)
    assert whole.dtype == np.uint8
    assert whole.tolist() == list(range(40))
    halves = predict(make_network(), lambda network, images: level(images).double() / 2, pool, HARDWARE)
    assert halves.dtype == np.float32
    assert halves.tolist() == [row / 2 for row in range(40)]


def test_large_images_are_scored_in_smaller_minibatches(make_network, make_pool):
    sizes = []

    def count(network, images):
        sizes.append(len(images))
        return level(images)

    images = np.zeros((20, 1, 128, 128), np.uint8)
    predict(make_network(), count, make_pool(images), HARDWARE)
    assert sizes == [8, 8, 4]


def test_masks_are_augmented_with_their_images(make_network, make_pool, make_schedule):
    images = np.random.default_rng(0).integers(0, 255, (20, 1, 8, 8), np.uint8)
    differences = []

    def loss(network, images, targets):
        inside = targets != 255
        differences.append(int((images[:, 0].int() - targets)[inside].abs().max()))
        return network(images).square().mean((1, 2, 3))

    augment, masks = Augmentation(crop_padding=2, flip=True, smallest_crop=1), torch.from_numpy(images[:, 0])
    network = make_network(dense=True)
    fit(
        network,
        loss,
        make_pool(images),
        Training(make_schedule(), stream(0, "fit"), augment=augment),
        HARDWARE,
        targets=masks,
    )
    assert differences == [0, 0]


def test_dropout_follows_the_generator_alone(make_pool, make_network, make_schedule):
    def train(seed: int) -> bytes:
        network = make_network()
        network.neck = torch.nn.Sequential(network.neck, torch.nn.Dropout())
        torch.rand(seed + 1)  # the global generator is elsewhere each time
        fit(network, plain, make_pool(20), Training(make_schedule(minibatch=20), stream(seed, "fit")), HARDWARE)
        return weights(network)

    assert train(0) == train(0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_gpu_computes_what_the_processor_does(make_pool, make_network, make_schedule):
    networks = [make_network() for _ in range(2)]
    found = []
    for network, device in zip(networks, ("cpu", "cuda"), strict=True):
        targets = torch.arange(40) % 10
        fit(
            network,
            classification.loss,
            make_pool(40),
            Training(make_schedule(), stream(0, "fit")),
            Hardware(device),
            rows=None,
            targets=targets,
        )
        found.append(predict(network, classification.loss, make_pool(40), Hardware(device), None, targets))
    np.testing.assert_allclose(*found, rtol=0.02, atol=0.02)


@pytest.mark.parametrize(("frozen", "moved"), [(0, True), (1, True), (2, False), (math.inf, False)])
def test_frozen_trunk_keeps_weights_and_statistics_for_as_long_as_it_is_frozen(
    fashion, make_network, make_schedule, frozen, moved
):
    pool, targets = fashion
    network = make_network()
    before = copy.deepcopy(network)
    fit(
        network,
        classification.loss,
        pool,
        Training(make_schedule(epochs=2, minibatch=64), stream(0, "fit"), frozen=frozen),
        HARDWARE,
        targets=targets,
    )
    assert (weights(network.trunk) != weights(before.trunk)) == moved
    assert not torch.equal(network.head.weight, before.head.weight)


def test_trunk_that_was_frozen_learns_in_the_next_training(fashion, make_network, make_schedule):
    pool, targets = fashion
    network, schedule = make_network(), make_schedule(minibatch=64)
    training = Training(schedule, stream(0, "fit"), frozen=math.inf)
    fit(network, classification.loss, pool, training, HARDWARE, targets=targets)
    frozen = weights(network.trunk)
    fit(network, classification.loss, pool, Training(schedule, stream(0, "fit")), HARDWARE, targets=targets)
    assert weights(network.trunk) != frozen


def test_dropout_is_drawn_from_the_seed_and_only_in_training(fashion, make_network, make_schedule):
    pool, targets = fashion
    learnt = []
    for share in (0.0, 0.5, 0.5):
        network = make_network()
        network.dropout = share
        fit(
            network,
            classification.loss,
            pool,
            Training(make_schedule(minibatch=64), stream(0, "fit")),
            HARDWARE,
            targets=targets,
        )
        learnt.append(weights(network))
    assert learnt[0] != learnt[1] == learnt[2]
    scored = [predict(network, classification.outputs, pool, HARDWARE) for _ in range(2)]
    np.testing.assert_array_equal(*scored)


def test_a_loss_that_is_no_number_stops_the_training_with_its_epoch_and_what_would_help(
    make_pool, make_network, make_schedule
):
    schedule = make_schedule(epochs=3, learning_rate=100.0)
    growing = lambda network, images: plain(network, images) * 1e12  # noqa: E731
    with pytest.raises(InputError, match=r"rotation: the loss of epoch [123], after \d+ steps, is (nan|inf).*learning"):
        fit(make_network(), growing, make_pool(40), Training(schedule, stream(0, "fit"), title="rotation"), HARDWARE)


def test_a_loss_is_read_once_an_epoch_and_not_at_every_step(make_pool, make_network, make_schedule, monkeypatch):
    """Reading a number waits for a GPU: a check of every step would stall it."""
    read = []
    monkeypatch.setattr(engine._Curve, "_close", lambda self, close=engine._Curve._close: (read.append(1), close(self)))
    monkeypatch.setattr(torch.Tensor, "item", lambda self: pytest.fail("a number was read"))
    fit(
        make_network(), plain, make_pool(40), Training(make_schedule(epochs=3, minibatch=8), stream(0, "fit")), HARDWARE
    )
    assert len(read) == 3


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_stops_with_the_image_and_what_was_asked(make_pool, make_network, wrong):
    def third(network, images):
        return torch.where(images[:, 0, 0, 0] == 3, wrong, 1.0)

    with pytest.raises(InputError, match=r"query: what the network says of image 'image 3' is not a finite number"):
        predict(make_network(), third, make_pool(levels(10)), HARDWARE, title="query")


def test_a_feature_that_is_no_number_is_found_among_many_images(make_pool, make_network, monkeypatch):
    monkeypatch.setattr(engine, "CHECKED", 4)

    def last(network, images):
        return torch.where(images[:, :, 0] == 9, math.nan, 1.0)

    with pytest.raises(InputError, match="'image 9'"):
        predict(make_network(), last, make_pool(levels(10)), HARDWARE)


def test_whole_numbers_are_not_asked_whether_they_are_finite(make_pool, make_network):
    answers = predict(make_network(), lambda network, images: level(images).long(), make_pool(levels(10)), HARDWARE)
    assert list(answers) == list(range(10))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_progress_bar_counts_whole_images(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    bar = engine._progress(1320, "training")
    bar.close()
    assert "training:   0%" in shown.getvalue()
    assert "| 0/1320 [00:00<?, ? images/s]" in shown.getvalue()
