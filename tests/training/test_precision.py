"""Precision is chosen by what is faster here, and by a clear margin."""

import pytest
import torch

from pt4al.training import precision
from pt4al.training.precision import Hardware, choose_device, choose_precision


@pytest.mark.parametrize(("fp32", "bf16", "chosen"), [(3.0, 1.0, "bf16"), (1.1, 1.0, "fp32"), (1.0, 10.0, "fp32")])
def test_bf16_must_be_clearly_faster_to_be_chosen(monkeypatch, fp32, bf16, chosen):
    seconds = {"fp32": fp32, "bf16": bf16}
    monkeypatch.setattr(precision, "_fastest", lambda steps: seconds)
    assert choose_precision("cpu") == chosen


def test_self_test_answers_on_this_machine():
    assert choose_precision("cpu") in {"fp32", "bf16"}


@pytest.mark.parametrize(("supported", "chosen"), [(True, "bf16"), (False, "fp32")])
def test_gpu_computes_in_bf16_where_it_can(monkeypatch, supported, chosen):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    assert choose_precision("cuda") == chosen


@pytest.mark.parametrize(("available", "device"), [(True, "cuda"), (False, "cpu")])
def test_gpu_is_used_where_there_is_one(monkeypatch, available, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert choose_device() == device


@pytest.mark.parametrize(("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_convolutions_run_in_the_precision_and_weights_stay_fp32(name, dtype):
    layer = torch.nn.Conv2d(1, 1, 1)
    with Hardware("cpu", name).autocast():
        assert layer(torch.zeros(1, 1, 2, 2)).dtype == dtype
    assert layer.weight.dtype == torch.float32
