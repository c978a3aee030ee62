"""Small files that a command leaves for later ones: JSON, and logs with a line of JSON a row."""

import json
import logging
from pathlib import Path
from typing import Any

from pt4al.files import digests
from pt4al.files.whole import replacing

logger = logging.getLogger(__name__)


def write(path: Path, value: Any) -> None:
    """Write a value as JSON, whole or not at all, and its digest."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
        digests.note(path, temporary)


def read(path: Path, kind: type, way_out: str | None = None) -> Any:
    """Return what `write` wrote.

    Raises
    ------
    Damaged
        If the file is not what was written, or holds no `kind` (dict, list).
    """
    value = digests.whole(path, _parsed, way_out)
    if not isinstance(value, kind):
        why = f"it holds a {type(value).__name__}, not a {kind.__name__}"
        raise digests.Damaged(path, why, way_out)
    return value


def recall(path: Path) -> dict[str, Any]:
    """Return what `write` wrote; an empty dict if it is missing or damaged."""
    if not path.exists():
        return {}
    try:
        return read(path, dict, "it is made anew")
    except digests.Damaged as damaged:
        logger.warning("%s", damaged)
        return {}


def append(path: Path, row: dict[str, Any]) -> None:
    """Add a line to a log, on a line of its own even after a torn one of a killed process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as log:
        torn = log.tell() and not _ends_with_newline(log)
        log.write(b"\n" * bool(torn) + json.dumps(row).encode() + b"\n")


def rows(path: Path, columns: list[str]) -> list[dict[str, Any]]:
    """Return the rows of a log that have these columns; warn of lines that can't be read."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    parsed = [(number, _row(line, columns)) for number, line in enumerate(lines, 1) if line]
    torn = [number for number, row in parsed if row is None]
    if torn:
        logger.warning(
            "%s: %d of its lines can't be read and are left out, the first is line %d",
            path,
            len(torn),
            torn[0],
        )
    return [row for _, row in parsed if row is not None]


def _parsed(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _row(line: bytes, columns: list[str]) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and row.keys() >= set(columns) else None


def _ends_with_newline(log: Any) -> bool:
    log.seek(-1, 2)
    return log.read(1) == b"\n"
