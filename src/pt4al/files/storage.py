"""A bucket that keeps a folder of data, at any address of fsspec; the folder is its cache here.

Objects have the names that files have below the folder, so that other tools can copy either. A file
of the folder says which bucket that is, so that whoever reads a shard that is not here finds it.
Secrets are in no file of ours: fsspec and its packages find them, in variables and files of theirs.
"""

import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

from pt4al.errors import InputError
from pt4al.files import records
from pt4al.files.patience import patiently

MARKER = ".storage.json"  # in the folder: the bucket's address
OWN = ".storage"  # folder in it for what arrives, and for what was seen in the bucket
FIRST = 10.0  # seconds for which a server may not answer before a command starts
ARRIVING = "arriving"  # folder in that one
DAY = 86_400.0  # seconds
LOCAL = ("file", "local")


class Object(NamedTuple):
    """What a bucket says of an object: its bytes, and text that changes when it does."""

    size: int
    tag: str


@dataclass(frozen=True)
class Storage:
    """A bucket and the folder that it keeps. It can be sent to another process.

    Attributes
    ----------
    root
        The folder: what lies at root/a/b here is object a/b.
    address
        Of the bucket, and of a folder in it: s3://bucket/folder.
    patience
        Seconds for which a server that does not answer is asked again.
    cache
        GB of shards that stay here; None: all that were made or fetched.
    """

    root: Path
    address: str
    patience: float = 300.0
    cache: float | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes it elsewhere: without a connection, and without secrets."""
        return Storage, (self.root, self.address, self.patience, self.cache)

    def check(self) -> None:
        """Raise InputError, within seconds, if there is no such bucket or nobody may list it."""
        impatient = replace(self, patience=min(FIRST, self.patience))
        folder = Path(impatient._at(""))
        if self._protocol in LOCAL and not folder.is_dir():
            raise InputError(f"`storage.address` {self.address}: there is no such folder: make it")
        try:
            impatient.listing(OWN)
        except FileNotFoundError:
            raise InputError(
                f"`storage.address` {self.address}: there is no bucket "
                f"{impatient._bucket!r}: make it, or correct the address"
            ) from None

    def attach(self) -> None:
        """Write down in the folder that it is the cache of this bucket.

        Raises
        ------
        InputError
            If it is another one's.
        """
        known = records.recall(self.root / MARKER)
        if known.get("address", self.address) != self.address:
            raise InputError(
                f"`storage.address` is {self.address}, but {self.root} is the cache of "
                f"{known['address']}, where files may be that are not here: copy them to the new "
                f"address, then remove {self.root / MARKER}"
            )
        facts = {name: value for name, value in asdict(self).items() if name != "root"}
        if known != facts:
            records.write(self.root / MARKER, facts)
        for left in (self.root / OWN / ARRIVING).glob("*"):  # of processes that were killed
            if left.is_file() and time.time() - left.stat().st_mtime > DAY:
                left.unlink(missing_ok=True)

    def name(self, path: Path) -> str:
        """Return the name of the object that a file of the folder is."""
        return path.relative_to(self.root).as_posix()

    def listing(self, folder: str) -> dict[str, Object]:
        """Return the objects below a folder by name."""
        found = self._patiently(self._files.find, self._at(folder), detail=True)
        start = len(self._at("")) + 1
        return {name[start:]: _object(info) for name, info in found.items() if info}

    def info(self, name: str) -> Object | None:
        """Return what is said of an object; None if there is none."""
        try:
            return _object(self._patiently(self._files.info, self._at(name)))
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a small object; None if there is none."""
        try:
            return self._patiently(self._files.cat_file, self._at(name))
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a small object, whole or not at all."""
        with self._arriving() as temporary:
            temporary.write_bytes(content)
            self._put(temporary, name)

    def create(self, name: str, content: bytes) -> bool:
        """Write a small object unless there is one; return whether it was written.

        Where the store can, it is the store that looks: of two that ask at once one succeeds.
        """
        try:
            self._patiently(self._create, self._at(name), content)
        except FileExistsError:
            return False
        except InputError:  # a store that does not know the condition, or words it otherwise
            if self.info(name) is None:
                raise
            return False
        return True

    def remove(self, name: str) -> None:
        """Remove an object; nothing if there is none."""
        with suppress(FileNotFoundError):
            self._patiently(self._files.rm_file, self._at(name))

    def rename(self, name: str, new: str) -> None:
        """Rename an object, in the bucket itself."""
        self._patiently(self._files.cp_file, self._at(name), self._at(new))
        self.remove(name)

    def modified(self, name: str) -> float:
        """Return when an object was written, in seconds by the server's clock."""
        return self._patiently(self._files.modified, self._at(name)).timestamp()

    def put(self, path: Path) -> None:
        """Write a file of the folder as an object, whole or not at all."""
        self._put(path, self.name(path))

    def get(self, name: str, path: Path) -> None:
        """Write an object to a path, whole or not at all.

        Raises
        ------
        FileNotFoundError
            If there is no such object.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._arriving() as temporary:
            self._patiently(self._files.get_file, self._at(name), str(temporary))
            temporary.replace(path)

    def fetch(self, path: Path) -> None:
        """Bring a file of the folder that is not here, if the bucket has it."""
        if path.exists():
            return
        with suppress(FileNotFoundError):
            self.get(self.name(path), path)

    def _create(self, place: str, content: bytes) -> None:
        if self._protocol in LOCAL:
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            with Path(place).open("xb") as file:
                file.write(content)
        else:
            self._files.pipe_file(place, content, mode="create")

    def _put(self, path: Path, name: str) -> None:
        place = self._at(name)
        if self._protocol not in LOCAL:
            self._patiently(self._files.put_file, str(path), place)
            return
        temporary = f"{place}.{uuid.uuid4().hex}"
        self._patiently(self._files.put_file, str(path), temporary)
        self._patiently(os.replace, temporary, place)

    def _arriving(self) -> "_Arriving":
        return _Arriving(self.root / OWN / ARRIVING)

    def _patiently(self, do: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        kept = f"what is finished is kept in {self.root}; the same command goes on from there"
        return patiently(partial(do, *arguments, **options), self.address, self.patience, kept)

    @property
    def _protocol(self) -> str:
        return self.address.partition("://")[0]

    @property
    def _bucket(self) -> str:
        return self._at("").partition("/")[0]

    def _at(self, name: str) -> str:
        place = self._files._strip_protocol(self.address).rstrip("/")
        return f"{place}/{name}" if name else place

    @cached_property
    def _files(self) -> Any:
        import fsspec

        options: dict[str, Any] = {"use_listings_cache": False}
        if self._protocol in LOCAL:
            options["auto_mkdir"] = True
        if self._protocol in ("s3", "s3a"):
            options["config_kwargs"] = {"connect_timeout": 10, "retries": {"max_attempts": 1}}
        try:
            return fsspec.filesystem(self._protocol, **options)
        except ImportError as error:
            raise InputError(
                f"`storage.address` {self.address}: a package is missing: {error}"
            ) from None
        except ValueError as error:
            raise InputError(
                f"`storage.address` {self.address}: {error}; known ones are s3://, gs://, file://"
            ) from None


class _Arriving:
    """A path of a file that is being written, which is gone in the end."""

    def __init__(self, folder: Path):
        self._path = folder / uuid.uuid4().hex

    def __enter__(self) -> Path:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._path

    def __exit__(self, *error: object) -> None:
        self._path.unlink(missing_ok=True)


def keeper(path: Path) -> Storage | None:
    """Return the bucket that keeps a file or folder; None if none does."""
    for folder in path.absolute().parents:
        if (folder / MARKER).exists():
            facts = records.recall(folder / MARKER)
            return Storage(folder, **facts) if facts else None
    return None


def fetched(path: Path) -> Path:
    """Return a path whose file was brought, if it was not here and a bucket keeps it."""
    storage = None if path.exists() else keeper(path)
    if storage is not None:
        storage.fetch(path)
    return path


def _object(info: dict[str, Any]) -> Object:
    tags = (info.get(key) for key in ("ETag", "etag", "md5Hash", "mtime", "created"))
    tag = next(tag for tag in tags if tag is not None)
    if isinstance(tag, datetime):  # memory:// says it in two ways
        tag = tag.timestamp()
    return Object(info["size"], str(tag).strip('"'))
