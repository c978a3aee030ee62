"""Names of classes and images as names of folders and files, on any file system."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from pt4al.errors import InputError

LONGEST = 200  # bytes of a name, which leave room for a suffix
# What some file system refuses or changes. The percent sign begins what stands for such a letter.
UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*%]|^[.~ ]|[. ]$')
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE | re.DOTALL)
SUFFIX = re.compile(
    r"\.(png|jpe?g|gif|bmp|tiff?|webp|avif|jp2|j2k|ppm|pgm|pbm|pnm|npy)$", re.IGNORECASE
)


def safe_name(name: str) -> str:
    """Return a name that any file system takes; `urllib.parse.unquote` turns it back.

    Letters that some file system refuses or changes become %XX, as in addresses; most names stay
    as they are.
    """
    safe = UNSAFE.sub(lambda sign: _percent(sign[0]), name)
    if DEVICES.fullmatch(safe):  # of old systems, which open no file of that name
        safe = _percent(safe[0]) + safe[1:]
    return safe


def folder_names(classes: Iterable[str]) -> dict[str, str]:
    """Return the name of each class's folder, by class.

    Of names that differ in case alone, which some file systems take for one, the later are spelt
    out.

    Raises
    ------
    InputError
        If a class has no name, or one that is too long for a folder.
    """
    folders: dict[str, str] = {}
    used = set()
    for name in dict.fromkeys(classes):
        if not name:
            raise InputError("a class has an empty name, of which no folder can be made")
        folder = safe_name(name)
        if folder.casefold() in used:
            folder = _percent(name)
        size = len(folder.encode())
        if size > LONGEST:
            raise InputError(
                f"class {name[:60]!r}... is too long for a folder's name ({size} bytes as one, "
                f"{LONGEST} are the most): export to a table, which takes any name"
            )
        used.add(folder.casefold())
        folders[name] = folder
    return folders


def file_stems(ids: Iterable[str]) -> dict[str, str]:
    """Return the name of each image's file, without suffix, by id: each once, whatever its case.

    That is the last part of the id, with a digest of the whole id behind it where several ids end
    alike or the name would be too long.
    """
    ids = list(ids)
    short = {image: safe_name(SUFFIX.sub("", PurePosixPath(image).name)) for image in ids}
    counts: dict[str, int] = {}
    for stem in short.values():
        counts[stem.casefold()] = counts.get(stem.casefold(), 0) + 1
    stems = {}
    used = set()
    for image in ids:
        stem = short[image]
        if not stem or counts[stem.casefold()] > 1 or len(stem.encode()) > LONGEST:
            stem = _with_digest(stem, image)
        while stem.casefold() in used or (
            stem != short[image] and counts.get(stem.casefold(), 0) > 0
        ):
            stem = _with_digest(stem, f"{image} {stem}")
        used.add(stem.casefold())
        stems[image] = stem
    return stems


def _with_digest(stem: str, text: str) -> str:
    """Return the beginning of a name, and eight digits that stand for a text."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    start = stem.encode()[: LONGEST - 20].decode("utf-8", "ignore")
    return f"{start}-{digest}".lstrip("-")


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
