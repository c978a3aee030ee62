"""Measure speed and memory, each beside a plain reference, in one run; write docs/studies/benchmarks.md.

    python benchmarks/run.py [--only NAME] [--quick] [--output PAGE]

`--only` replaces that benchmark's section of the page. `--quick` tries everything at sizes too small to
quote: its page is printed, and written only where --output says.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import cells
import decoding
import document
import features
import herding
import machine
import memory
import overhead
import ranking
import scoring
import training
import waiting
from pt4al.training.precision import Hardware, choose_precision

MODULES = (training, waiting, scoring, features, ranking, herding, decoding, memory, overhead, cells)
BENCHMARKS = {module.__name__: module for module in MODULES}


def main() -> None:
    options = _options()
    hardware = Hardware("cpu", choose_precision("cpu"))
    command = " ".join([".venv/bin/python benchmarks/run.py", *sys.argv[1:]])
    with tempfile.TemporaryDirectory() as folder:
        shown = options.output or (Path(folder, "quick.md") if options.quick else document.PAGE)
        for name in options.only or BENCHMARKS:
            print(f"{name} ...", file=sys.stderr, flush=True)
            where = machine.where(hardware.precision, command)
            try:
                section = BENCHMARKS[name].measure(hardware, options.quick)
            except document.Skipped as reason:
                print(f"{name} is skipped: {reason}", file=sys.stderr)
                continue
            # One by one: a benchmark that fails takes nothing of the others with it.
            document.update(shown, {name: section.markdown(where)})
        print(shown.read_text() if shown.exists() else "nothing was measured")


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--only", choices=BENCHMARKS, action="append", metavar="NAME", help=", ".join(BENCHMARKS))
    arguments.add_argument("--output", type=Path)
    return arguments.parse_args()


if __name__ == "__main__":
    main()
