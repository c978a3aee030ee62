"""The log of answers: lines are added, and nothing is ever taken out.

One file a run, `answers.jsonl`, with a line of JSON an answer, on disk before it is acknowledged.
Several processes may write at once. A process that is killed while it writes leaves part of a line,
which is not read: that answer was never acknowledged. Each line ends with a checksum of the rest;
one that a disk has damaged is warned of and ignored, so that its image is asked for again. Masks
are files beside the log, named after their content.
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
DIGEST = MASK + "[0-9a-f]{64}"  # the whole label: `mask:on` is a class
DTYPES = {"seconds": "float64", "review": "bool"}  # of columns that are not text


def now() -> str:
    """Return this moment as answers state it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One person's answer on an image.

    Attributes
    ----------
    id
        The image's id.
    label
        A class's name, or what `AnswerLog.keep_mask` returns; None: the image was skipped.
    annotator
        Name of the person.
    key
        Unique to this answer: the log takes a key once.
    at
        Time, in ISO 8601.
    seconds
        How long the image was looked at; NaN if unknown.
    source
        `page`, `grid` (confirmed on the page with other images of a class), `label_studio`, `cvat` or
        `file`.
    review
        Whether the answer ends a disagreement, whatever others said.
    undoes
        Key of the same annotator's answer that this one retracts; `label` is then ignored.
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
                message = f"{text!r} holds half a character: no file could keep it"
                raise InputError(message) from None


COLUMNS = tuple(Answer.__dataclass_fields__)
CHECK = "check"  # CRC-32 of a line without it; lines of older logs have none
TORN = b" torn"  # put behind what a killed process has left of a line
TYPES = {  # of attributes that are not text
    "seconds": (int, float),
    "review": bool,
    "label": (str, type(None)),
    "undoes": (str, type(None)),
}


class AnswerLog:
    """The answers of a run, in order of arrival; safe for several threads and processes."""

    def __init__(self, folder: Path):
        """Take the folder of `answers.jsonl`, which need not exist yet."""
        self.path = folder / "answers.jsonl"
        self._masks = folder / "masks"
        self._lock = FileLock(folder / ".answers.lock")
        self._rows: dict[str, dict] = {}  # by key
        self._end = 0  # bytes that have been read
        self._lines = 0  # lines that have been read

    def add(self, answers: Iterable[Answer]) -> int:
        """Write the answers whose keys are new to disk; return how many."""
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
        """Store a mask, the bytes of a PNG file; return the label that stands for it."""
        digest = hashlib.sha256(png).hexdigest()
        path = self._masks / f"{digest}.png"
        if not path.exists():
            with replacing(path) as temporary:
                temporary.write_bytes(png)
                _flush(temporary)
            _flush(path.parent)
        return MASK + digest

    def mask(self, label: str) -> bytes:
        """Return the PNG file of the mask that a label stands for; InputError if it is damaged."""
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
                # A killed process has left part of a line.
                text = f"{TORN.decode()}\n{text}"
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
        """Read the whole lines that were not read yet."""
        if not self.path.exists():
            return
        if self.path.stat().st_size < self._end:  # an older file was put in its place
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
    """Return the answers that stand: without retracted ones, and without the retractions."""
    undone = history["undoes"].dropna()
    return history[history["undoes"].isna() & ~history["key"].isin(undone)]


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row | {CHECK: zlib.crc32(json.dumps(row).encode())})


def _parsed(line: bytes) -> dict | None:
    """Return the answer in a line; None if it holds none, or was damaged."""
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
