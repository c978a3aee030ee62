"""What a GPU is told so that the same seed gives the same bytes; the settings are there without a GPU, too."""

import pytest
import torch

from pt4al.training.precision import Hardware
from pt4al.training.repeatable import deterministic, repeatable


def settings() -> tuple:
    cudnn = torch.backends.cudnn
    return (
        cudnn.enabled,
        cudnn.benchmark,
        cudnn.deterministic,
        cudnn.allow_tf32,
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
    )


def unrepeatable() -> None:
    """An operation for which torch has no algorithm that repeats itself, on a processor neither."""
    torch.zeros(4).put_(torch.tensor([1, 1]), torch.tensor([1.0, 2.0]))


@pytest.fixture(autouse=True)
def no_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")


def test_a_gpu_convolves_with_cudnn_in_full_float32_and_the_same_way_each_time() -> None:
    before = settings()
    with repeatable(Hardware("cuda"), lambda: None):
        assert settings() == (True, False, True, False, True, False, False)
    assert settings() == before


def test_a_processor_is_left_alone() -> None:
    before = settings()
    with repeatable(Hardware("cpu"), unrepeatable):
        assert settings() == before


def test_what_cannot_repeat_itself_is_forbidden_where_a_trial_does_without_it() -> None:
    with (
        deterministic(lambda: torch.zeros(4).sum()),
        pytest.raises(RuntimeError, match="does not have a deterministic"),
    ):
        unrepeatable()


@pytest.mark.parametrize("trial", [unrepeatable, None])
def test_what_cannot_repeat_itself_is_warned_of_where_there_is_no_other_way(trial) -> None:
    with deterministic(trial), pytest.warns(UserWarning, match="does not have a deterministic"):
        unrepeatable()


def test_a_trial_that_fails_for_another_reason_is_an_error_and_leaves_the_settings_alone() -> None:
    def fail() -> None:
        raise RuntimeError("out of luck")

    before = settings()
    with pytest.raises(RuntimeError, match="out of luck"), deterministic(fail):
        pass
    assert settings() == before
