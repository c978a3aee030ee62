"""Where the time of a training step goes: reading, augmenting, arithmetic, and starting the arithmetic."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

import bare
import pools
from gpu_rates import Case, Effort, works
from gpu_report import NOT_HERE, Row
from pt4al.project.configuration.parameters import Parameters
from pt4al.training import networks
from pt4al.training.precision import Hardware
from pt4al.training.reading import reader
from timing import seconds, wait_for
from training import tool

WARM = 3
PROFILED = 5  # steps


class Step:
    """One step of the main training of a case, and its parts."""

    def __init__(self, case: Case, settings: Parameters, hardware: Hardware, effort: Effort):
        self.hardware, self.turns = hardware, effort.steps or 100
        self.pool, targets = pools.made(case.images, case.shape)
        self.work = works(case, settings, targets)["train"]
        self.take = reader(self.pool, np.arange(len(self.pool)), targets, hardware)
        self.positions = np.random.default_rng(0).permutation(len(self.pool))[: case.minibatch]
        self.minibatch = self.take(self.positions)
        generator, pool = torch.Generator().manual_seed(0), self.pool
        network = networks.build(case.network, self.work.outputs, (pool.mean, pool.std), generator)
        self._step = bare.stepper(network, self.work.loss, self.work.block.schedule, hardware)

    def run(self) -> None:
        """Forward, backward, update, of images that are there."""
        self._step(*self.minibatch)

    def milliseconds(self, run: Callable[[], object]) -> float:
        """Return how long one of many calls takes, the device's work included."""
        for _ in range(WARM):
            run()
        wait_for(self.hardware.device)
        start = time.perf_counter()
        for _ in range(self.turns):
            run()
        wait_for(self.hardware.device)
        return 1000 * (time.perf_counter() - start) / self.turns


def parts(case: Case, settings: Parameters, hardware: Hardware, effort: Effort) -> Iterator[Row]:
    """A step of `fit`, and its parts one by one."""
    step = Step(case, settings, hardware, effort)
    fitted = tool(step.work, step.pool, hardware, step.turns)["ours"].run
    fitted()
    generator = torch.Generator(hardware.device).manual_seed(0)
    augment, images = step.work.block.augment, step.minibatch[0]
    taken = {
        "all of it": 1000 * seconds(fitted) / step.turns,
        "reading": step.milliseconds(lambda: step.take(step.positions)),
        "augmenting": step.milliseconds(lambda: augment(images, generator)),
        "forward, backward, update": step.milliseconds(step.run),
    }
    for what, milliseconds in taken.items():
        yield Row("step", f"{what}, {case.title}, {hardware.precision}", milliseconds, "ms")


def graphed(case: Case, settings: Parameters, hardware: Hardware, effort: Effort) -> Iterator[Row]:
    """Forward, backward and update without launching each kernel by itself."""
    what = f"as a CUDA graph, {case.title}, {hardware.precision}"
    if hardware.device == "cpu":
        yield Row("step", what, None, "ms", NOT_HERE)
        return
    step = Step(case, settings, hardware, effort)
    launched = step.milliseconds(step.run)
    replayed = step.milliseconds(_graph(step.run))
    beside = f"forward, backward, update: {launched / replayed:.2f} times as fast"
    yield Row("step", what, replayed, "ms", beside)


def kernels(case: Case, settings: Parameters, hardware: Hardware, effort: Effort) -> Iterator[Row]:
    """How many kernels a step starts, and how long they run."""
    what = f"kernels, {case.title}, {hardware.precision}"
    if hardware.device == "cpu":
        yield Row("step", what, None, "", NOT_HERE)
        return
    count, busy = _profiled(Step(case, settings, hardware, effort).run)
    yield Row("step", what, count, "a step", f"{busy:.3g} ms of arithmetic in them, by the profiler")


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
