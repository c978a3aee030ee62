"""Where the time of a training step goes: reading, augmenting, arithmetic, and starting the arithmetic."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

import bare
import pools
from gpu_rates import Case, Effort, works
from gpu_report import NOT_HERE, Row
from pt4al.parameters import Parameters
from pt4al.training import networks
from pt4al.training.precision import Hardware
from pt4al.training.reading import reader
from timing import wait_for

WARM = 3
PROFILED = 5  # steps


def steps(case: Case, settings: Parameters, hardware: Hardware, effort: Effort) -> Iterator[Row]:
    """Take the parts of a step of the main training one by one."""
    turns = effort.steps or 100
    pool, targets = pools.made(case.images, case.shape)
    work = works(case, settings, targets)["train"]
    take = reader(pool, np.arange(len(pool)), targets, hardware)
    positions = np.random.default_rng(0).permutation(len(pool))[: case.minibatch]
    minibatch = take(positions)
    generator = torch.Generator(hardware.device).manual_seed(0)
    network = networks.build(case.network, work.outputs, pool.mean, pool.std, torch.Generator().manual_seed(0))
    step = bare.stepper(network, work.loss, work.block.schedule, hardware)

    def row(what: str, value: float | None, unit: str = "ms", beside: str = "") -> Row:
        return Row("step", f"{what}, {case.title}, {hardware.precision}", value, unit, beside)

    yield row("reading", _milliseconds(lambda: take(positions), hardware, turns))
    augment = work.block.augment
    yield row("augmenting", _milliseconds(lambda: augment(minibatch[0], generator), hardware, turns))
    started = _milliseconds(lambda: step(*minibatch), hardware, turns)
    yield row("forward, backward, update", started)
    if hardware.device == "cpu":
        yield row("the same without launches", None, beside=NOT_HERE)
        yield row("kernels", None, "", NOT_HERE)
        return
    kernels, busy = _profiled(lambda: step(*minibatch))
    yield row("kernels", kernels, "a step", f"{busy:.3g} ms of arithmetic in them, by the profiler")
    graphed = _milliseconds(_graph(lambda: step(*minibatch)), hardware, turns)
    yield row("the same without launches", graphed, beside=f"as a CUDA graph: {started / graphed:.2f} times as fast")


def _milliseconds(run: Callable[[], object], hardware: Hardware, turns: int) -> float:
    """Return how long one of many calls takes, the device's work included."""
    for _ in range(WARM):
        run()
    wait_for(hardware.device)
    start = time.perf_counter()
    for _ in range(turns):
        run()
    wait_for(hardware.device)
    return 1000 * (time.perf_counter() - start) / turns


def _graph(step: Callable[[], None]) -> Callable[[], None]:
    """Return what repeats the kernels of a step, started by one call."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(WARM):
            step()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def _profiled(step: Callable[[], None]) -> tuple[float, float]:
    """Return how many kernels a step starts, and for how many milliseconds they run."""
    step()
    torch.cuda.synchronize()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(PROFILED):
            step()
        torch.cuda.synchronize()
    events = [event for event in profile.events() if event.device_type == torch.autograd.DeviceType.CUDA]
    if not events:
        raise RuntimeError("the profiler saw no kernel")
    return len(events) / PROFILED, sum(event.time_range.elapsed_us() for event in events) / 1000 / PROFILED
