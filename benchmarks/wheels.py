"""Collect what a machine without a network lacks for a whole run: a folder of wheels.

    there:  python3 -m pip list --format=freeze > present.txt
    here:   python benchmarks/wheels.py present.txt [--folder wheels] [--python 3.12]
    there:  python3 -m pip install --no-index --no-deps --target site wheels/*.whl
            export PYTHONPATH=packages

Wheels are for Linux on x86-64. torch must be there: it is gigabytes, and a GPU's driver chooses which. Versions are
those of constraints.txt and, where it is silent, of this environment, in which pt4al must be installed.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import requires, version
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).parents[1]
PACKAGE = "pt4al"
THERE = ("torch", "torchvision")  # whatever their versions: never carried, with all that they need
LIMIT = 60  # MiB
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014", "manylinux1")

Requires = Callable[[str], list[Requirement]]


def missing(root: str, wanted_by: Requires, environment: dict[str, str], present: dict[str, str]) -> list[str]:
    """Return the packages that `root` needs and that are not `present`, or are in a version that won't do.

    Parameters
    ----------
    wanted_by
        The requirements of a package by its name.
    environment
        Of the machine, for requirements that have conditions: see `target`.
    present
        Versions by name; an empty one stands for any. What is there is taken to have all that it needs.
    """
    kept = dict(present)
    while True:
        needed = closure(root, wanted_by, environment, kept)
        unfit = {name for name in needed.keys() & kept.keys() if kept[name] and not needed[name].contains(kept[name])}
        unfit -= {*THERE}
        if not unfit:
            return sorted(needed.keys() - kept.keys())
        kept = {name: found for name, found in kept.items() if name not in unfit}


def closure(
    root: str, wanted_by: Requires, environment: dict[str, str], present: dict[str, str]
) -> dict[str, SpecifierSet]:
    """Return what is asked of the version of each package that `root` needs, however indirectly, by its name."""
    needed: dict[str, SpecifierSet] = {}
    waiting, seen = [(root, ("",))], set()
    while waiting:
        name, extras = waiting.pop()
        if name in present or (name, extras) in seen:
            continue
        seen.add((name, extras))
        for requirement in wanted_by(name):
            marker = requirement.marker
            if marker is None or any(marker.evaluate(environment | {"extra": extra}) for extra in extras):
                child = canonicalize_name(requirement.name)
                needed[child] = needed.get(child, SpecifierSet()) & requirement.specifier
                waiting.append((child, ("", *sorted(requirement.extras))))
    return needed


def installed(name: str) -> list[Requirement]:
    """Return the requirements of a package of this environment."""
    return [Requirement(line) for line in requires(name) or []]


def target(python: str) -> dict[str, str]:
    """Return what requirements may ask about a machine: that of this one, with another Python, on Linux."""
    own = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"}
    return default_environment() | own | {"python_version": python, "python_full_version": f"{python}.0"}


def listed(path: Path) -> dict[str, str]:
    """Read what `pip list --format=freeze` printed, or bare names: versions, perhaps empty, by name."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [line.partition("==") for line in lines if line and not line.startswith(("#", "-"))]
    return {canonicalize_name(name.split(" @ ")[0]): found.split("+")[0] for name, _, found in pairs}


def pinned(names: list[str], environment: dict[str, str]) -> list[str]:
    """Return `name==version` of each."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    holding = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(environment)]
    versions = {canonicalize_name(pin.name): str(pin.specifier) for pin in holding}
    return [name + versions.get(name, f"=={version(name)}") for name in names]


def fetch(specifications: list[str], folder: Path, python: str) -> None:
    """Download wheels; build those of packages that come as sources alone, which must be pure Python."""
    platforms = [f"--platform={platform}_x86_64" for platform in PLATFORMS]
    where = [*platforms, "--implementation=cp", f"--python-version={python}"]
    _pip("download", "--no-deps", "--prefer-binary", *where, f"--dest={folder}", *specifications)
    for source in [*folder.glob("*.tar.gz"), *folder.glob("*.zip")]:
        _pip("wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", str(source))
        source.unlink()
    with tempfile.TemporaryDirectory() as copy:  # setuptools leaves a folder `build` where it builds
        for part in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / part, copy)
        shutil.copytree(ROOT / "src", Path(copy, "src"), ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        _pip("wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", copy)


def unusable(names: list[str], python: str) -> list[str]:
    """Return the wheels, by file name, that a Python on Linux won't take."""
    numbers = tuple(int(part) for part in python.split("."))
    platforms = [f"{platform}_x86_64" for platform in PLATFORMS]
    taken = {*cpython_tags(numbers, platforms=platforms), *compatible_tags(numbers, platforms=platforms)}
    return [name for name in names if taken.isdisjoint(parse_wheel_filename(name)[3])]


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)


def main() -> None:
    options = _options()
    present = listed(options.present)
    absent = [name for name in THERE if name not in present]
    if absent:
        sys.exit(
            f"{options.present} lists no {' and no '.join(absent)}: install what fits that machine's GPU there first"
        )
    environment = target(options.python)
    names = missing(PACKAGE, installed, environment, present)
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    fetch(pinned(names, environment), options.folder, options.python)
    files = sorted(options.folder.glob("*.whl"))
    wrong = unusable([file.name for file in files], options.python)
    if wrong:
        sys.exit(f"no wheel for Python {options.python} on Linux: {', '.join(wrong)}")
    size = sum(file.stat().st_size for file in files) / 2**20
    print(f"{options.folder}: {len(files)} wheels, {size:.1f} MiB")
    if size > options.limit:
        largest = sorted(files, key=lambda file: -file.stat().st_size)[:5]
        told = ", ".join(f"{file.name} {file.stat().st_size / 2**20:.1f}" for file in largest)
        sys.exit(f"more than {options.limit:g} MiB; the largest: {told}")


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("present", type=Path, help="what that machine has: its `pip list --format=freeze`")
    arguments.add_argument("--folder", type=Path, default=ROOT / "wheels")
    arguments.add_argument("--python", default="3.12", help="that machine's; 3.12 by default")
    arguments.add_argument("--limit", type=float, default=LIMIT, help=f"MiB that may travel; {LIMIT} by default")
    return arguments.parse_args()


if __name__ == "__main__":
    main()
