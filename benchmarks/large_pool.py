"""Measure a pool as large as ImageNet: ingestion, scoring under a limit of memory, growth, DVC.

    python benchmarks/large_pool.py [--images 1281167] [--score N] [--folder FOLDER] [--quick] [--output PAGE]

Takes 40 GB of disk in FOLDER (a temporary one by default) and about an hour; deletes all of it at the end.
Replaces section `large_pool` of docs/studies/benchmarks.md. `--quick` tries everything on made-up pictures, too few
to quote: its page is printed, and written only where --output says.
"""

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

import confined
import document
import imagenet_like
import machine
from document import Section
from pt4al.images import pixels
from pt4al.training.precision import choose_precision
from timing import seconds
from versions import Repository

CASE = Path(__file__).with_name("large_pool_case.py")
LIMIT = 2 * 2**30  # bytes of memory for scoring
FITS = 20_000  # images of the pool that fits
GROWTH = 0.01  # of the pool's images
TEXT = """
Photos of Caltech-101 at 64x64, RGB, each with its own noise of {noise} grey levels, in files laid out as ImageNet-64's
(`train_data_batch_1.npz` ...). Each step is a process of its own; seconds leave out its imports, and its peak of
resident memory (`VmHWM`) counts them. *Ingestion* goes by source `imagenet_npz` and `building.build`. *Scoring* is
`engine.predict` with the margin of a resnet8_w16 with 1,000 outputs; the pool that fits, its first {fits:,} images, is
scored before and after the large one.
{limit}
The large pool's files were dropped from the operating system's cache before it. *Growth* adds 1 % new images in a file
of their own; bytes count if they are not linked to the older pool's. *DVC* keeps the pool in a repository on the same
file system, with cache.type hardlink,symlink,copy; what is linked counts once on disk. Goals: growth writes at most 2 %
of the pool's bytes.
"""
LIMITED = "All three had {gib:g} GiB, cached pages of their files included: the hard limit of a control group."


@dataclass
class Measurement:
    """The steps, in their order; each adds rows to the table."""

    folder: Path
    images: int
    score: int
    shard_bytes: int
    precision: str
    quick: bool
    limited: bool = False
    rows: list[dict[str, str]] = field(default_factory=list)

    def run(self) -> Section:
        """Do all of it."""
        for step in (self.make, self.ingest, self.score_both, self.grow, self.version):
            print(f"{step.__name__} ...", file=sys.stderr, flush=True)
            step()
        limit = LIMITED.format(gib=LIMIT / 2**30) if self.limited else "No limit of memory could be set here."
        text = TEXT.format(noise=imagenet_like.NOISE, fits=self.fits, limit=limit)
        return Section("large_pool", pd.DataFrame(self.rows), text)

    @property
    def fits(self) -> int:
        return min(FITS, self.images // 10)

    def make(self) -> None:
        self.source = self.folder / "source"
        self.source.mkdir()
        self.real = imagenet_like.originals(self.folder, self.quick)
        taken = seconds(lambda: imagenet_like.write(self.source, self.real, self.images))
        made = sum(path.stat().st_size for path in self.source.iterdir())
        self.add("files made", f"{self.images:,} images and {imagenet_like.VALIDATION:,}, {_gb(made)}, {taken:,.0f} s")

    def ingest(self) -> None:
        self.pool = self.folder / "pool"
        found = self.case("ingest", source=self.source, pool=self.pool)
        self.bytes = sum(_files(self.pool).values())
        made = len(list(self.pool.glob("*.npy")))
        self.add("ingestion", f"{found['seconds']:,.0f} s, {_rate(found)}")
        self.add("ingestion, peak memory", _mb(found["peak"]))
        self.add("pool", f"{found['images']:,} images, {made} shards, {_gb(self.bytes)}")

    def score_both(self) -> None:
        small = self.folder / "small"
        self.case("copy", source=self.pool, pool=small, images=self.fits)
        with confined.memory_group(LIMIT) as group:
            self.limited = group is not None
            before = self.case("score", pool=small)
            confined.forget(self.pool)
            large = self.case("score", group, pool=self.pool, images=self.score)
            after = self.case("score", pool=small)
        shutil.rmtree(small)
        rates = [found["images"] / found["seconds"] for found in (before, large, after)]
        self.add("scoring, large pool / pool that fits", f"{2 * rates[1] / (rates[0] + rates[2]):.2f}", "0.95")
        self.add("scoring, pool that fits", f"{_rate(before)} before, {_rate(after)} after")
        self.add("scoring, large pool", f"{_rate(large)} ({large['images']:,} images)")
        self.add("scoring, large pool, peak memory", f"{_mb(large['peak'])} (pool that fits: {_mb(before['peak'])})")

    def grow(self) -> None:
        new, self.grown = max(1, round(GROWTH * self.images)), self.folder / "grown"
        number = imagenet_like.BATCHES + 1
        imagenet_like.write_batch(imagenet_like.batch(self.source, number), self.real, new, number)
        found = self.case("ingest", source=self.source, pool=self.grown, previous=self.pool)
        old = _files(self.pool)
        added = {inode: size for inode, size in _files(self.grown).items() if inode not in old}
        written = sum(path.stat().st_ino in added for path in self.grown.glob("*.npy"))
        share = f"{_gb(sum(added.values()))}, {100 * sum(added.values()) / self.bytes:.2f} %"
        self.add("growth by 1 %, bytes written", share, "at most 2 %")
        self.add("growth by 1 %", f"{found['seconds']:,.0f} s, {new:,} images, {written} shards written")
        self.add("growth by 1 %, peak memory", _mb(found["peak"]))
        shutil.rmtree(self.source)

    def version(self) -> None:
        repository = Repository(self.folder / "repository")
        self.pool.rename(repository.pool)
        first = repository.add()
        self.add("`dvc add`", f"{first:,.0f} s, cache {_gb(repository.cached())}, on disk {_gb(repository.on_disk())}")
        self.add("`dvc status`, nothing has changed", f"{repository.status():.1f} s")
        before = repository.cached(), repository.on_disk()
        shutil.rmtree(repository.pool)
        self.grown.rename(repository.pool)
        again = repository.add()
        cache, disk = repository.cached() - before[0], repository.on_disk() - before[1]
        self.add("`dvc add` of the grown pool", f"{again:,.0f} s, cache +{_gb(cache)}, on disk +{_gb(disk)}")

    def case(self, step: str, group: Path | None = None, **options: object) -> dict:
        options |= {"shard-bytes": self.shard_bytes, "precision": self.precision}
        return confined.call(CASE, step, *(f"--{name}={value}" for name, value in options.items()), group=group)

    def add(self, what: str, value: str, goal: str = "") -> None:
        self.rows.append({"what": what, "value": value, "goal": goal})
        print(f"  {what}: {value}", file=sys.stderr, flush=True)


def _files(folder: Path) -> dict[int, int]:
    """Size by inode: what is linked counts once."""
    return {path.stat().st_ino: path.stat().st_size for path in folder.iterdir()}


def _gb(size: float) -> str:
    return f"{size / 1e9:.3f} GB"


def _mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


def _rate(found: dict) -> str:
    return f"{found['images'] / found['seconds']:,.0f} images/s"


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--images", type=int, help="of the pool; 1,281,167 by default, --quick: 2,000")
    arguments.add_argument("--score", type=int, default=0, help="score only so many, spread over the pool")
    arguments.add_argument("--folder", type=Path, help="where there is room")
    arguments.add_argument("--shard-bytes", type=int, help="of a shard, other than usual")
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--output", type=Path)
    return arguments.parse_args()


def main() -> None:
    options, precision = _options(), choose_precision("cpu")
    images = options.images or (2000 if options.quick else 1_281_167)
    size = options.shard_bytes or (2**24 if options.quick else pixels.SHARD)
    where = machine.where(precision, " ".join([".venv/bin/python benchmarks/large_pool.py", *sys.argv[1:]]))
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        try:
            section = Measurement(Path(folder), images, options.score, size, precision, options.quick).run()
        except document.Skipped as reason:
            sys.exit(f"large_pool is skipped: {reason}")
    page = options.output or (None if options.quick else document.PAGE)
    if page:
        document.update(page, {section.name: section.markdown(where)})
    print(section.markdown(where))


if __name__ == "__main__":
    main()
