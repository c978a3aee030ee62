"""Label, train, label on, in one page until the last round: what `kedro label` does."""

import re
import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pt4al.annotation.web import link
from pt4al.annotation.web.server import Page
from pt4al.errors import InputError, counted
from pt4al.project.configuration.next_commands import one_more_round, use_model
from pt4al.project.runs.asked_query import AskedQuery
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.labelled_run import LabelledRun, find_run
from pt4al.project.runs.training_process import WAITS, TrainingProcess, Work

GRACE = 3.0  # seconds in which the last answer of a query can be taken back
PAUSE = 0.2  # seconds between two looks at the answers
FAREWELL = 10.0  # seconds that an open page has to hear how it ended


@dataclass(frozen=True)
class Order:
    """Which run is labelled.

    Attributes
    ----------
    project
        Folder of the project.
    root
        Folder of its data.
    name
        The run's name.
    command
        `kedro run ...`, which makes it go on.
    """

    project: Path
    root: Path
    name: str
    command: str

    @property
    def folder(self) -> RunFolder:
        """The run's files."""
        return RunFolder(self.root, self.name)

    @property
    def arguments(self) -> list[str]:
        """Those of `kedro run`."""
        return shlex.split(self.command)[2:]

    def find(self) -> LabelledRun | None:
        """Return the run as it is now; None if it has not begun."""
        if not self.folder.policies_file.exists():
            return None
        return find_run(self.root, self.name, waiting=False)

    def is_of(self, run: LabelledRun) -> bool:
        """Return whether a run's newest command is this one, in whatever order its settings are."""
        commands = [self.command, run.command]
        typed, newest = (
            sorted(re.split(r"[ ,=]", shlex.join(shlex.split(one)))) for one in commands
        )
        return typed == newest


def is_finished(run: LabelledRun) -> bool:
    """Return whether all of a run is there, its report included."""
    measured = run.folder.newest("metrics.json", run.cycles - 1)
    report = run.folder.newest("report.html")
    verdict = run.folder.newest("verdict.json")
    if run.cycle < run.cycles or None in (measured, report, verdict):
        return False
    return report.stat().st_mtime_ns > measured.stat().st_mtime_ns


def is_waiting(run: LabelledRun) -> bool:
    """Return whether a run's query is there, and not answered yet."""
    if run.cycle == run.cycles or run.folder.newest("query.parquet", run.cycle) is None:
        return False
    return not run.progress().finished


@dataclass
class LabellingLoop:
    """Makes a run go on whenever its query is answered, and shows each query in a page.

    Attributes
    ----------
    facts
        What the page shows besides; see `Page`.
    say
        Takes lines for the terminal.
    grace
        Seconds in which the last answer can be taken back.
    error
        The sentence with which it could not go on.
    """

    order: Order
    page: Page
    facts: dict[str, Any]
    say: Callable[[str], None]
    grace: float = GRACE
    error: str = ""
    _ended: threading.Event = field(default_factory=threading.Event)
    _training: TrainingProcess | None = None
    _kept: link.Link | None = None

    def serve(self) -> None:
        """Serve the page until Ctrl-C, or until the run can't go on.

        Raises
        ------
        InputError
            If the run's command has ended with an error: its sentence.
        """
        thread = threading.Thread(target=self._go_on, daemon=True)
        thread.start()
        try:
            self.page.run()
        finally:
            self._ended.set()
            if self._training is not None:
                self._training.stop()
            thread.join()
        if self.error:
            raise InputError(self.error)

    def keep_link(self) -> None:
        """Store the page's link for the next time, once there is a run."""
        folder = self.order.folder
        here = link.Link(self.page.port, self.page.token)
        if folder.record.exists() and here != self._kept:
            link.keep(folder.link_file, here)
            self._kept = here

    def _go_on(self) -> None:
        try:
            self._rounds()
        except InputError as error:
            self.error = str(error)
        except Exception as error:
            self.error = f"{type(error).__name__}: {error}"
        if self.error:
            self.page.fail(self.error)
            if self.page.opened.is_set():
                self.page.told.wait(FAREWELL)
            self.page.stop()

    def _rounds(self) -> None:
        run = self.order.find()
        if run is not None and not self.order.is_of(run):
            run = None  # its command says whether the settings that differ may
        while not self._ended.is_set():
            if run is None or not (is_waiting(run) or is_finished(run)):
                self._train(run)
                run = self.order.find()
            if self._ended.is_set():
                return
            if run is None or run.masks:
                raise InputError(f"run {self.order.name!r} asks for nothing that a page can take")
            if is_finished(run):
                self._finish(run)
                return
            self._ask(run)
            run = self.order.find()

    def _train(self, run: LabelledRun | None) -> None:
        """Let the run's command go as far as it can."""
        self._show(Work("Starting"))
        training = TrainingProcess(self.order.project, self.order.arguments, self._show)
        self._training = training
        if self._ended.is_set():  # meanwhile
            training.stop()
        status = training.wait()
        if status not in (0, WAITS) and not self._ended.is_set():
            raise InputError(
                training.message or f"the run's command has ended with status {status}"
            )

    def _show(self, work: Work) -> None:
        self.keep_link()
        self.page.work(work.text, work.done, work.total)

    def _ask(self, run: LabelledRun) -> None:
        """Ask for a query's images until all are answered."""
        self.keep_link()
        query = AskedQuery(run)
        self.page.ask(query.queue, query.picture, query.why, self.facts | facts_of(run))
        self.say(f"Round {run.cycle + 1} of {run.cycles}: {run.progress()}.")
        since = None
        while not self._ended.is_set():
            now = time.monotonic()
            if not query.queue.progress().finished:
                since = None
            elif since is None:
                since = now
            if since is not None and now >= since + self.grace:
                return
            time.sleep(min(PAUSE, self.grace or PAUSE))

    def _finish(self, run: LabelledRun) -> None:
        reports = run.folder.reports
        pages = {"report.html": reports / "report.html", "map.html": reports / "map.html"}
        intake = intake_of(reports / "report.html")
        pages |= {intake: reports / intake} if intake else {}
        there = {link: file.read_bytes for link, file in pages.items() if file.exists()}
        line = result(run)
        command = use_model(run.name, run.settings["pool.source.path"])
        self.page.finish([line], there, command)
        self.say(f"result: {line}")
        self.say(f"report: {pages['report.html'].absolute().as_uri()}")
        self.say(f"to let the model name the other pictures: {command}")
        self.say(f"for another round: {one_more_round(run.name, run.cycles)}")
        self.say(f"{run.cycles} of {counted(run.cycles, 'round')} done. Ctrl-C ends the page.")


def facts_of(run: LabelledRun) -> dict[str, Any]:
    """Return what the page shows of a run's query besides its images."""
    return {"round": run.cycle + 1, "rounds": run.cycles, "descriptions": run.descriptions}


def result(run: LabelledRun) -> str:
    """Return what a finished run has reached, as its report says it."""
    from pt4al.statistics.run_verdict import in_words  # imports scipy

    verdict = run.folder.read("verdict.json")
    return in_words(verdict).removesuffix(".") + "."


def intake_of(report: Path) -> str | None:
    """Return the address, seen from a report, of the page on its pictures; None without a link."""
    link = re.search(r'href="([^"]*intake\.html)"', report.read_text(encoding="utf-8"))
    return link and link[1]
