"""Check what a GPU computes and measure how fast it does, in one go; with the core alone.

    python benchmarks/gpu.py --device cuda --output FOLDER [--quick] [--whole [--data CIFAR10]]

Correctness first, against the processor; then rates beside a bare loop, where a step's time goes, and the paper's run
on CIFAR-10, extrapolated. One table on the terminal, the same in FOLDER/gpu.json. Ends with status 1 if a check failed
or something could not be measured. Needs neither Kedro nor MLflow nor DVC. `--quick` tries everything at sizes too
small to quote.
"""

import argparse
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

import configuration
import gpu_checks
import gpu_features
import gpu_paper
import machine
from gpu_rates import CASES, QUICK, Effort, rates
from gpu_report import Report, Row
from gpu_steps import graphed, kernels, parts
from pt4al.training.precision import Hardware, choose_device, choose_precision


def main() -> None:
    options, start = _options(), time.perf_counter()
    quick = options.quick
    precision = "fp32" if quick and options.device == "cpu" else choose_precision(options.device)
    hardware = Hardware(options.device, precision)
    report = Report(options.output, facts(hardware))
    for check in (gpu_checks.reading, gpu_checks.agreement, gpu_checks.repeats, gpu_checks.waiting):
        report.collect("check", check, hardware, quick)
    engine = f"engine.device={hardware.device},engine.precision={hardware.precision}"
    settings, effort = configuration.read(params=engine), Effort(1, 1) if quick else Effort(5, None)
    cases = QUICK if quick else CASES
    for part, measure in (("rate", rates), ("step", parts), ("step", kernels), ("step", graphed)):
        for case in cases:
            report.collect(part, measure, case, settings, hardware, effort)
    for case in gpu_features.QUICK if quick else gpu_features.CASES:
        report.collect("rate", gpu_features.features, case, hardware, effort)
    report.collect("paper", paper, report, hardware, options)
    report.add(Row("all", "this script", time.perf_counter() - start, "s"))
    sys.exit(1 if report.failed else 0)


def facts(hardware: Hardware) -> dict[str, str]:
    """Say what this is measured on."""
    found = {
        "device": hardware.device,
        "processor": machine.processor(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "precision": hardware.precision,
    }
    if hardware.device == "cuda":
        cudnn = torch.backends.cudnn.version()
        found |= {"gpu": torch.cuda.get_device_name(), "cuda": str(torch.version.cuda), "cudnn": str(cudnn)}
    return found


def paper(report: Report, hardware: Hardware, options: argparse.Namespace) -> Iterator[Row]:
    """The paper's run: its seconds by the rates, and the run if they are few enough."""
    settings = gpu_paper.settings(hardware)
    seconds = gpu_paper.extrapolated(report.rows, settings)
    beside = "10 cycles of 200 epochs, 15 pretext epochs, by the rates above"
    yield Row("paper", "PT4AL on CIFAR-10, ResNet-18, extrapolated", seconds, "s", beside)
    if options.whole and seconds is not None and seconds <= gpu_paper.MOST:
        yield from gpu_paper.whole(settings, hardware, options.data)
    elif options.whole:
        yield Row("paper", "the whole run", None, "s", f"left out: it must be known to fit into {gpu_paper.MOST} s")


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--device", choices=["cuda", "cpu"], default=choose_device())
    arguments.add_argument("--output", type=Path, required=True, help="the folder for gpu.json")
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--whole", action="store_true", help=f"do the paper's run, if it takes {gpu_paper.MOST} s")
    arguments.add_argument("--data", type=Path, help="CIFAR-10 for it, in any layout of docs/datasets.md; else noise")
    options = arguments.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        arguments.error("there is no CUDA device here: --device cpu tries the script without one")
    return options


if __name__ == "__main__":
    main()
