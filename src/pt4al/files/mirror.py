"""Bring what a bucket has and a folder lacks, and the other way round; nothing is lost on the way.

A version is written once and never changes, and counts once its digest is there, which is written
last. Of files that change it is noted how they were when both sides were the same.
"""

import filecmp
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from pt4al.errors import InputError
from pt4al.files import digests, records
from pt4al.files.digests import APART
from pt4al.files.storage import ARRIVING, OWN, Object, Storage
from pt4al.files.versions import PATTERN, kept, version_of

SEAL = ".sha256"
GROWS = ".jsonl"  # logs, to which lines are added
AT_ONCE = 8  # files on their way
# Of a machine, and of its own servers.
STAYS = {"page.json", f"page.json{SEAL}"}
# Brought once: a machine may have a store of MLflow of its own.
OWN_ROW = {"mlflow_run.json", f"mlflow_run.json{SEAL}"}
# The newest command writes them anew.
REWRITTEN = ("policies.json", "settings.json")


class Mirror:
    """Some folders of a bucket and of the folder that is its cache.

    Parameters
    ----------
    folders
        Their names below both: `06_models/mine`.
    guarded
        How the names of those begin in which nothing that differs is ever replaced: label sets,
        answers, and what a run was started with.
    """

    def __init__(self, storage: Storage, folders: Iterable[str], guarded: str):
        self._storage = storage
        self._folders = sorted(set(folders))
        self._guarded = guarded
        self._there: dict[str, Object] = {}
        self._same: dict[str, list] = {}

    def pull(self, without: str | None = None) -> int:
        """Bring what is missing or older here, all but shards; return the number of files.

        Parameters
        ----------
        without
            Name of a run whose folders are left out.

        Raises
        ------
        InputError
            If both sides have label sets, answers or settings that differ.
        """
        folders = [name for name in self._folders if PurePosixPath(name).name != without]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for listing in threads.map(self._storage.listing, folders):
                self._there |= listing
        for folder in folders:
            self._same |= records.recall(self._noted(folder))
        versions: dict[str, list[str]] = {}
        changing = []
        for name in self._there:
            version = version_of(name)
            if version is None:
                changing.append(name)
            else:
                versions.setdefault(version, []).append(name)
        whole = {version: names for version, names in versions.items() if _is_whole(names)}
        self._check_versions(whole)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            brought = sum(threads.map(self._bring_version, whole, whole.values()))
            brought += sum(threads.map(self._bring, changing))
        self._note()
        return brought

    def push(self, path: Path | None = None) -> int:
        """Write what the bucket lacks, of a file or folder, or of all; return the number of files.

        Digests of versions come last: a version that lacks its own is not read.
        """
        names = sorted(self._files(path), key=_turn)
        for turn in sorted({_turn(name) for name in names}):
            with ThreadPoolExecutor(AT_ONCE) as threads:
                list(threads.map(self._put, [name for name in names if _turn(name) == turn]))
        if path is None:
            self._note()
        return len(names)

    def set_aside(self, run: str, stamped: str) -> None:
        """Rename the objects of a run's folders: a fresh start is to find none."""
        there: dict[str, Object] = {}
        folders = [folder for folder in self._folders if PurePosixPath(folder).name == run]
        for folder in folders:
            there |= self._storage.listing(folder)
        # The settings last: without them the rest would belong to nobody.
        for name in sorted(there, key=lambda name: name.startswith(self._guarded)):
            layer, _, rest = name.split("/", 2)
            self._storage.rename(name, f"{layer}/{stamped}/{rest}")
        for folder in folders:
            self._noted(folder).unlink(missing_ok=True)

    def _files(self, path: Path | None) -> Iterator[str]:
        """Yield the names of files that the bucket lacks, or has as they were before."""
        places = [self._storage.root / folder for folder in self._folders]
        if path is not None:
            places = [path, kept(path), path.with_name(path.name + SEAL)]
        for place in places:
            for file in _visible(place):
                name = self._storage.name(file)
                if not self._is_there(name, file):
                    yield name

    def _is_there(self, name: str, file: Path) -> bool:
        there = self._there.get(name)
        if there is None:
            return False
        if version_of(name) is not None:
            return there.size == file.stat().st_size
        return self._same.get(name, [])[:2] == _state(file)

    def _put(self, name: str) -> None:
        file = self._storage.root / name
        try:
            before = _state(file)  # what is written meanwhile is noticed the next time
            self._storage.put(file)
        except FileNotFoundError:  # it was replaced or removed meanwhile
            return
        if version_of(name) is not None:
            self._there[name] = Object(before[0], "")
            return
        there = self._storage.info(name)
        if there is not None:
            self._there[name] = there
            self._same[name] = [*before, there.tag]

    def _bring_version(self, version: str, names: list[str]) -> int:
        """Bring a version, all of it or nothing; of one that is here what it lacks."""
        place = self._storage.root / version
        wanted = [name for name in names if not name.endswith(APART)]
        if place.exists():
            wanted = [name for name in wanted if not (self._storage.root / name).exists()]
            for name in wanted:
                self._storage.get(name, self._storage.root / name)
            return len(wanted)
        arriving = self._storage.root / OWN / ARRIVING / uuid.uuid4().hex
        try:
            for name in wanted:
                self._storage.get(name, arriving / PurePosixPath(name).relative_to(version))
            for seal in arriving.glob(f"*{SEAL}"):
                digests.check(
                    seal.with_suffix(""),
                    f"its copy is {self._storage.address}/{version}: remove that, and the same "
                    "command makes it anew",
                )
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():  # another command may have brought it
                arriving.rename(place)
        finally:
            shutil.rmtree(arriving, ignore_errors=True)
        return len(wanted)

    def _bring(self, name: str) -> int:
        """Bring a file that changes, unless the one here is newer; return whether it was brought."""
        here = self._storage.root / name
        there = self._there[name]
        same = self._same.get(name)
        if here.name in STAYS:
            return 0
        if not here.exists():
            return self._accept(name)
        if here.name in OWN_ROW:
            return 0
        if same is not None and same[2] == there.tag:
            return 0  # only the one here may have changed
        if same is not None and same[:2] == _state(here):
            return self._accept(name)
        return self._both_changed(name)

    def _both_changed(self, name: str) -> int:
        here = self._storage.root / name
        other = self._storage.root / OWN / ARRIVING / uuid.uuid4().hex
        self._storage.get(name, other)
        try:
            if filecmp.cmp(here, other, shallow=False):
                self._same[name] = [*_state(here), self._there[name].tag]
                return 0
            if name.endswith(GROWS):
                mine = here.read_bytes()
                theirs = other.read_bytes()
                if theirs.startswith(mine):
                    return self._accept(name)
                if mine.startswith(theirs):
                    return 0
        finally:
            other.unlink(missing_ok=True)
        if name.startswith(self._guarded) and here.name.removesuffix(SEAL) not in REWRITTEN:
            raise InputError(self._conflict(name, name))
        return 0  # the one here is pushed later

    def _accept(self, name: str) -> int:
        here = self._storage.root / name
        self._storage.get(name, here)
        self._same[name] = [*_state(here), self._there[name].tag]
        return 1

    def _check_versions(self, there: dict[str, list[str]]) -> None:
        """Refuse a run that went on in two places, each of which has versions of its own."""
        root = self._storage.root
        datasets: dict[str, list[str]] = {}
        for version in there:
            if version.startswith(self._guarded):
                datasets.setdefault(str(PurePosixPath(version).parent), []).append(version)
        for dataset, versions in datasets.items():
            here = [self._storage.name(path) for path in (root / dataset).glob(PATTERN)]
            own = sorted(set(here) - set(versions))
            others = sorted(set(versions) - set(here))
            if own and others and self._seal_here(own[-1]) != self._seal_there(others[-1]):
                raise InputError(self._conflict(own[-1], others[-1]))

    def _seal_here(self, version: str) -> bytes | None:
        seals = sorted((self._storage.root / version).glob(f"*{SEAL}"))
        return seals[0].read_bytes() if seals else None

    def _seal_there(self, version: str) -> bytes | None:
        dataset = PurePosixPath(version).parent.name
        return self._storage.read(f"{version}/{dataset}{SEAL}")

    def _conflict(self, here: str, there: str) -> str:
        run = PurePosixPath(here).parts[1]
        address = self._storage.address
        return (
            f"run {run!r} has gone on in two places: {self._storage.root / here} is not what "
            f"{address}/{there} is; nothing was changed: give this run another name "
            f"(run.name=...), or move the folders {self._storage.root}/*/{run} away to go on with "
            "what the bucket has"
        )

    def _noted(self, folder: str) -> Path:
        return self._storage.root / OWN / f"{folder}.json"

    def _note(self) -> None:
        for folder in self._folders:
            same = {
                name: state
                for name, state in sorted(self._same.items())
                if name.startswith(f"{folder}/")
            }
            if same != records.recall(self._noted(folder)):
                records.write(self._noted(folder), same)


def _is_whole(names: list[str]) -> bool:
    """Whether a version has its digest, or is one file, as older runs have them without."""
    version = version_of(names[0])
    dataset = PurePosixPath(version).parent.name
    return f"{version}/{dataset}{SEAL}" in names or names == [f"{version}/{dataset}"]


def _turn(name: str) -> int:
    """Return when a file's turn is: the digest of a whole version comes after all of it."""
    return int(version_of(name) is not None and _is_whole([name]) and name.endswith(SEAL))


def _visible(place: Path) -> Iterator[Path]:
    """Yield the files of a folder, or the file; what is hidden is being written, or a lock."""
    if place.is_file():
        yield place
    for folder, folders, files in os.walk(place):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and name not in STAYS:
                yield Path(folder, name)


def _state(file: Path) -> list[int]:
    stat = file.stat()
    return [stat.st_size, stat.st_mtime_ns]
