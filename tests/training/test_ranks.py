"""Processes that train one network: what is the same as with one, and what resumes."""

import numpy as np
import pandas as pd
import pytest
import torch

from pt4al.images.augment import Augmentation
from pt4al.pretext import PRETEXT_TASKS
from pt4al.randomness import stream, torch_generator
from pt4al.training.checkpoints import Checkpoint, Checkpoints
from pt4al.training.engine import Training, fit
from pt4al.training.networks import add_loss_head
from pt4al.training.precision import Hardware
from pt4al.training.ranks import Ranks
from pt4al.training.tasks import classification
from support.ranks import Interrupted, fit_as_rank, joined, weights

ROTATION = PRETEXT_TASKS["rotation"].loss
HARDWARE = Hardware()
AUGMENT = Augmentation(crop_padding=2, flip=True, smallest_crop=1)


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """Call a function in three processes that are joined: of two, sums have no order."""
    with joined(tmp_path_factory.mktemp("ranks"), 3) as call:
        yield call


@pytest.fixture
def begun(make_network):
    """Make a network for rotation, with dropout."""

    def make(still: bool = False):
        network = make_network(4)
        network.still = still
        network.dropout = 0.0 if still else 0.2
        return network

    return make


def odd(make_schedule, **changes) -> Training:
    """A training whose minibatches no two ranks can share evenly, and whose last epoch is cut short."""
    schedule = make_schedule(epochs=2.8, minibatch=16, shape="one_cycle")
    return Training(schedule, stream(0, "fit"), **changes)


def test_parts_of_ranks_are_the_minibatch():
    positions = np.arange(15)[::-1]
    parts = [Ranks(rank, 4).part(positions) for rank in range(4)]
    assert sorted(np.concatenate(parts)) == sorted(positions)
    assert [len(part) for part in parts] == [4, 4, 4, 3]
    assert Ranks().part(positions) is positions


def test_all_ranks_end_with_the_same_weights_statistics_and_curve(ranks, begun, make_pool, make_schedule):
    training = odd(make_schedule, augment=AUGMENT)
    (first, curve), (second, other), (third, _) = ranks(
        fit_as_rank, None, begun(), ROTATION, make_pool(50), training, HARDWARE
    )
    assert first == second == third
    pd.testing.assert_frame_equal(curve, other, check_exact=True)


@pytest.mark.parametrize("frozen", [0, 1])
def test_without_batch_statistics_ranks_learn_what_one_process_does(ranks, begun, make_pool, make_schedule, frozen):
    pool = make_pool(50)
    alone = begun(still=True)
    expected = fit(alone, ROTATION, pool, odd(make_schedule, frozen=frozen), HARDWARE)
    found, curve = ranks(
        fit_as_rank, None, begun(still=True), ROTATION, pool, odd(make_schedule, frozen=frozen), HARDWARE
    )[0]
    assert list(curve["steps"]) == list(expected["steps"])
    np.testing.assert_allclose(curve["loss"], expected["loss"], rtol=1e-5)
    assert list(curve["learning_rate"]) == list(expected["learning_rate"])
    for name, tensor in alone.state_dict().items():
        if tensor.is_floating_point():
            np.testing.assert_allclose(
                np.frombuffer(found[name], np.float32), tensor.numpy().ravel(), atol=1e-5, err_msg=name
            )


def test_with_batch_norms_of_parts_the_curve_stays_close(ranks, fashion, begun, make_schedule):
    pool, _ = fashion
    training = Training(make_schedule(epochs=3, minibatch=32, shape="one_cycle"), stream(0, "fit"))
    expected = fit(begun(), ROTATION, pool, training, HARDWARE)
    training = Training(training.schedule, stream(0, "fit"))
    curve = ranks(fit_as_rank, None, begun(), ROTATION, pool, training, HARDWARE)[0][1]
    assert curve["loss"].iloc[-1] < curve["loss"].iloc[0]
    np.testing.assert_allclose(curve["loss"], expected["loss"], atol=0.1)


@pytest.mark.parametrize("frozen", [0, 1])
def test_a_training_resumes_from_its_last_epoch_with_the_same_bytes(
    ranks, begun, make_pool, make_schedule, tmp_path, frozen
):
    pool = make_pool(50)
    training = odd(make_schedule, augment=AUGMENT, frozen=frozen)
    given = pool, training, HARDWARE
    undisturbed = ranks(fit_as_rank, None, begun(), ROTATION, *given)
    with pytest.raises(KeyError, match="interrupted"):
        ranks(fit_as_rank, tmp_path, begun(), Interrupted(7, []), *given)
    assert Checkpoints(tmp_path).newest().steps == 4
    shown = Interrupted(6, [])  # of nine steps five are left
    resumed = ranks(fit_as_rank, tmp_path, begun(), shown, *given)
    for (found, curve), (expected, whole) in zip(resumed, undisturbed, strict=True):
        assert found == expected
        pd.testing.assert_frame_equal(curve, whole, check_exact=True)


def test_a_loss_may_leave_parameters_out(ranks, make_network, make_pool, make_schedule):
    network = make_network()
    add_loss_head(network, torch_generator(stream(0, "head")))
    before = weights(network)
    targets = torch.arange(50) % 10
    learnt = ranks(
        fit_as_rank, None, network, classification.loss, make_pool(50), odd(make_schedule), HARDWARE, targets
    )
    assert learnt[0][0] == learnt[2][0]
    kept = [name for name in before if learnt[0][0][name] == before[name]]
    assert {name for name in before if name.startswith("loss_head")} <= set(kept)


@pytest.fixture
def checkpoint(make_network) -> Checkpoint:
    """A checkpoint of a network that has not stepped."""
    network = make_network()
    return Checkpoint.of(network, torch.optim.SGD(network.parameters()), [(1, 4, 0.1, 0.2)], 4)


def test_a_folder_keeps_the_newest_checkpoint_alone(checkpoint, tmp_path):
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.newest() is None
    for steps in (4, 8):
        checkpoints.write(Checkpoint(checkpoint.tensors, [*checkpoint.rows, (2, 8, 0.3, 0.4)], steps))
    newest = checkpoints.newest()
    assert newest.steps == 8
    assert newest.rows == [(1, 4, 0.1, 0.2), (2, 8, 0.3, 0.4)]
    assert len(list(tmp_path.iterdir())) == 2  # and its digest


def test_a_damaged_checkpoint_is_left_out_with_a_warning(checkpoint, tmp_path, caplog):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.write(checkpoint)
    file = next(tmp_path.glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-1])
    assert checkpoints.newest() is None
    assert "is damaged" in caplog.text


def test_a_rank_of_one_process_costs_and_changes_nothing(make_network, make_pool, make_schedule, tmp_path):
    learnt = []
    for ranks in (Ranks(), Ranks(checkpoints=Checkpoints(tmp_path))):
        network = make_network(4)
        fit(network, ROTATION, make_pool(50), odd(make_schedule, augment=AUGMENT, ranks=ranks), HARDWARE)
        learnt.append(weights(network))
    assert learnt[0] == learnt[1]
    assert not list(tmp_path.iterdir())
