"""What people have answered: a log to which lines are added and from which nothing is ever taken.

One file a run, `answers.jsonl`, one line of JSON an answer, on disk before anybody is told that it
is there. Several processes may write at once. A process that is killed while it writes leaves part
of a line; nobody was told of that answer, and it is not read. Each line ends with a checksum of the
rest: one that a disk has changed is told of, and counts no longer: its image is asked again. Masks
are files beside it, named after their content.
"""

import hashlib
import json
import logging
import os
import uuid
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from pt4al.errors import InputError
from pt4al.files.whole import replacing

logger = logging.getLogger(__name__)

MASK = "mask:"  # begins a label that stands for a mask; the rest is the SHA-256 of its PNG file
DIGEST = MASK + "[0-9a-f]{64}"  # all of it: `mask:on` is a class
DTYPES = {"seconds": "float64", "review": "bool"}  # of columns that are not text


def now() -> str:
    """Return this moment as answers tell it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What somebody said of an image.

    Attributes
    ----------
    id
        The image's.
    label
        A class's name, or what `AnswerLog.keep_mask` returns; None: the image was skipped.
    annotator
        Who said it.
    key
        Of this answer alone: one that is known is not taken in again.
    at
        When, in ISO 8601.
    seconds
        That the image was looked at; NaN if nobody knows.
    source
        `page`, `label_studio` or `file`.
    review
        It settles a disagreement, whatever the others said.
    undoes
        Key of an answer of the same annotator, which then never was; the label means nothing.
    """

    id: str
    label: str | None
    annotator: str
    source: str
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    at: str = field(default_factory=now)
    seconds: float = float("nan")
    review: bool = False
    undoes: str | None = None

    def __post_init__(self) -> None:
        for text in (self.id, self.label, self.annotator, self.key):
            try:
                (text or "").encode()
            except UnicodeEncodeError:
                raise InputError(
                    f"{text!r} holds half a character: no file could keep it"
                ) from None


COLUMNS = tuple(Answer.__dataclass_fields__)
CHECK = "check"  # CRC-32 of a line without it; lines of older logs have none
TORN = b" torn"  # ends what a killed process has left of a line
TYPES = {
    "seconds": (int, float),
    "review": bool,
    "label": (str, type(None)),
    "undoes": (str, type(None)),
}  # else: text


class AnswerLog:
    """The answers of a run, in the order in which they came. Safe for several threads and processes."""

    def __init__(self, folder: Path):
        """Take the folder of `answers.jsonl`, which need not exist yet."""
        self.path = folder / "answers.jsonl"
        self._masks = folder / "masks"
        self._lock = FileLock(folder / ".answers.lock")
        self._rows: dict[str, dict] = {}  # by key
        # bytes and lines that have been read
        self._end = 0
        self._lines = 0

    def add(self, answers: Iterable[Answer]) -> int:
        """Write down the answers whose keys are new; return how many. They are on disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._catch_up()
            new = {answer.key: asdict(answer) for answer in answers if answer.key not in self._rows}
            if new:
                self._append("".join(_line(row) + "\n" for row in new.values()))
                self._catch_up()
        return len(new)

    def read(self) -> pd.DataFrame:
        """Return all answers, one row each, with the attributes of `Answer` as columns."""
        if self.path.exists():
            with self._lock:
                self._catch_up()
        table = pd.DataFrame(list(self._rows.values()), columns=list(COLUMNS))
        return table.astype({name: DTYPES.get(name, "str") for name in COLUMNS})

    def keep_mask(self, png: bytes) -> str:
        """Keep a mask, the bytes of a PNG file; return the label that stands for it."""
        digest = hashlib.sha256(png).hexdigest()
        path = self._masks / f"{digest}.png"
        if not path.exists():
            with replacing(path) as temporary:
                temporary.write_bytes(png)
                _flush(temporary)
            _flush(path.parent)
        return MASK + digest

    def mask(self, label: str) -> bytes:
        """Return the mask that a label stands for."""
        path = self._masks / f"{label.removeprefix(MASK)}.png"
        if not path.exists():
            raise InputError(f"{path}: no such mask, but {self.path} names it")
        png = path.read_bytes()
        if hashlib.sha256(png).hexdigest() != path.stem:
            raise InputError(
                f"{path} is damaged (its SHA-256 is not its name): put a copy of it back"
            )
        return png

    def _append(self, text: str) -> None:
        created = not self.path.exists()
        with self.path.open("ab+") as file:
            if file.tell() and not self._ends_with_newline(file):
                text = f"{TORN.decode()}\n{text}"  # after the part of a line that a killed process left
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if created:
            _flush(self.path.parent)

    @staticmethod
    def _ends_with_newline(file) -> bool:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"

    def _catch_up(self) -> None:
        """Read the lines that are whole and were not read yet."""
        if not self.path.exists():
            return
        if self.path.stat().st_size < self._end:  # somebody has put an older file in its place
            self._rows = {}
            self._end = 0
            self._lines = 0
        with self.path.open("rb") as file:
            file.seek(self._end)
            read = file.read()
        whole = read[: read.rfind(b"\n") + 1]
        self._end += len(whole)
        for line in whole.split(b"\n")[:-1]:
            self._lines += 1
            row = _parsed(line)
            if row is not None:
                self._rows.setdefault(row["key"], row)
            elif line and not line.endswith(TORN):
                logger.warning("%s: line %d can't be read and is left out", self.path, self._lines)


def stand_for_masks(labels: pd.Series) -> pd.Series:
    """Return which labels stand for a mask (bool); the others are names of classes."""
    return labels.str.fullmatch(DIGEST).astype(bool)


def effective(history: pd.DataFrame) -> pd.DataFrame:
    """Return the answers that stand: without those that were undone, and without the undoing itself."""
    undone = history["undoes"].dropna()
    return history[history["undoes"].isna() & ~history["key"].isin(undone)]


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row | {CHECK: zlib.crc32(json.dumps(row).encode())})


def _parsed(line: bytes) -> dict | None:
    """Return an answer, if a line is one, and as it was written."""
    try:
        row = json.loads(line.removesuffix(TORN))  # only its newline may have been torn off
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or not row.keys() >= set(COLUMNS):
        return None
    check = row.pop(CHECK, None)
    if check is not None and check != zlib.crc32(json.dumps(row).encode()):
        return None
    typed = all(isinstance(row[name], TYPES.get(name, str)) for name in COLUMNS)
    return row if typed and row["key"] else None


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
