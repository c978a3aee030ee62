"""Benchmark `waiting`: what waiting threads cost, by OpenMP's policy, alone and beside busy neighbours."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import configuration
import pools
from document import Section
from pt4al.training.precision import Hardware
from timing import ratio
from waiting_case import LONGEST

CASE = Path(__file__).with_name("waiting_case.py")
NEIGHBOURS, THEIR_THREADS = 2, 2
# All that OpenMP reads when torch is imported, and never again: a process has its policy from its first moment.
READ = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")
POLICIES = {"ours": {"GOMP_SPINCOUNT": "5000"}, "passive": {"OMP_WAIT_POLICY": "PASSIVE"}, "default": {}}
TEXT = f"""
Seconds a step of main training (`engine.fit`; network, minibatch and augmentation of `conf/base`) on {{threads}}
threads, each number from a process of its own; medians. *Ours* is what every command sets (`GOMP_SPINCOUNT=5000`): a
thread that has nothing to do looks for work for some microseconds, then sleeps. *Passive*
(`OMP_WAIT_POLICY=PASSIVE`): it sleeps at once. *Default*: nothing is set, and it spins for milliseconds. *Busy*: beside
{NEIGHBOURS} processes that train the same network on {THEIR_THREADS} threads each, with OpenMP's default. The ratios
are of steps a second: above 1, it is faster than the default.
"""


def measure(hardware: Hardware, quick: bool) -> Section:
    """Train by both policies, alone and beside neighbours, several times."""
    # Quick with one thread: two that spin take minutes beside other work.
    steps, repeats, threads = (2, 1, 1) if quick else (150, 2, os.cpu_count())
    settings = configuration.read(params="pool.limit.train=300" if quick else "")
    with tempfile.TemporaryDirectory() as temporary:
        pool = Path(temporary, "pool")
        pools.shipped(settings.pool, pool)
        case = Case(pool, steps, threads, hardware.precision)
        found = {"quiet": case.rounds(repeats)}
        with case.neighbours(1 if quick else THEIR_THREADS):
            found["busy"] = case.rounds(repeats)
    measured = f"{repeats} rounds of {steps} steps, or {LONGEST} seconds, of {settings.main.schedule.minibatch}"
    rows = [_row(machine, rates, measured) for machine, rates in found.items()]
    return Section("waiting", pd.DataFrame(rows), TEXT.format(threads=threads))


@dataclass(frozen=True)
class Case:
    """What every process trains."""

    pool: Path
    steps: int
    threads: int
    precision: str

    def rounds(self, repeats: int) -> pd.DataFrame:
        """Return steps a second: one column a policy, one row a round. The policies take turns, A B A B ..."""
        return pd.DataFrame([{policy: self.rate(policy) for policy in POLICIES} for _ in range(repeats)])

    def rate(self, policy: str) -> float:
        """Return the steps a second of one process with this policy."""
        process = self.start(self.steps, self.threads, POLICIES[policy])
        output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{CASE.name} failed with {process.returncode}")
        found = json.loads(output.splitlines()[-1])
        given = {"OMP_WAIT_POLICY": found["policy"], "GOMP_SPINCOUNT": found["spins"]}
        if {name: value for name, value in given.items() if value is not None} != POLICIES[policy]:
            raise AssertionError(f"a process was to have policy {policy}, and had {given}")
        return 1 / found["seconds"]

    @contextmanager
    def neighbours(self, threads: int) -> Iterator[None]:
        """Keep processes busy that are there before this begins, and gone after it whatever happens."""
        busy = []
        try:
            for _ in range(NEIGHBOURS):
                busy.append(self.start(0, threads, POLICIES["default"]))
            for process in busy:
                if process.stdout.readline() != "busy\n":
                    raise RuntimeError("a neighbour has ended before it was busy")
            yield
        finally:
            for process in busy:
                process.kill()
                process.communicate()

    def start(self, steps: int, threads: int, policy: dict[str, str]) -> subprocess.Popen:
        environment = {name: value for name, value in os.environ.items() if name not in READ}
        environment |= {"OMP_NUM_THREADS": str(threads), **policy}
        command = [sys.executable, str(CASE), str(self.pool), str(steps), str(threads), self.precision]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def _row(machine: str, rates: pd.DataFrame, measured: str) -> dict[str, str]:
    seconds = (1 / rates).median()
    return {
        "machine": machine,
        "ours / default": ratio(rates, "ours", "default"),
        "passive / default": ratio(rates, "passive", "default"),
        "ours, s/step": f"{seconds['ours']:.4f}",
        "passive, s/step": f"{seconds['passive']:.4f}",
        "default, s/step": f"{seconds['default']:.4f}",
        "measured": measured,
    }
