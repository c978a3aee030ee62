"""What `make setup` installs is the same tomorrow: every package is pinned, and its licence is listed."""

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.projects import ROOT


def closure(requirement: Requirement, seen: dict[str, str]) -> dict[str, str]:
    """The versions that are installed of a package and of everything that it needs, by name."""
    try:
        package = distribution(requirement.name)
    except PackageNotFoundError:
        pytest.skip(f"{requirement.name} is not installed: this environment is not that of `make setup`")
    seen[canonicalize_name(requirement.name)] = package.version
    for line in package.requires or []:
        needed = Requirement(line)
        wanted = needed.marker is None or any(
            needed.marker.evaluate({"extra": extra}) for extra in ("", *requirement.extras)
        )
        if wanted and (canonicalize_name(needed.name) not in seen or needed.extras):
            closure(needed, seen)
    return seen


@pytest.fixture(scope="module")
def installed() -> dict[str, str]:
    found = closure(Requirement("pt4al[dev]"), {})
    found.pop("pt4al")
    return found


@pytest.fixture(scope="module")
def pinned() -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text()):
        pins.setdefault(canonicalize_name(name), set()).add(version)
    return pins


def test_every_package_that_is_installed_is_pinned(installed: dict[str, str], pinned: dict[str, set[str]]) -> None:
    assert len(installed) > 200
    assert {name: version for name, version in installed.items() if version not in pinned.get(name, ())} == {}


def test_every_package_that_is_installed_has_its_licence_listed(installed: dict[str, str]) -> None:
    rows = re.findall(r"(?m)^\| ([\w.-]+) +\| (\S+) +\| (\S.*?) +\|$", (ROOT / "docs/licences.md").read_text())
    listed = {canonicalize_name(name): version for name, version, _ in rows}
    assert {name: version for name, version in installed.items() if listed.get(name) != version} == {}


def environment_of_a_command(**own: str) -> str:
    """What OpenMP's policy is once a command's settings are imported, and whether torch had been imported before."""
    code = "import sys, pt4al.__main__; before = 'torch' in sys.modules; import pt4al.settings, os; "
    code += "print(before, [os.environ.get(n) for n in ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT')])"
    inherited = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = subprocess.run([sys.executable, "-c", code], env=inherited | own, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_threads_that_wait_leave_the_processor_to_others_unless_a_person_says_otherwise() -> None:
    assert environment_of_a_command() == "False [None, '5000']"
    assert environment_of_a_command(OMP_WAIT_POLICY="ACTIVE") == "False ['ACTIVE', None]"


def test_no_module_imports_what_only_an_extra_brings() -> None:
    """Ray, buckets and PostgreSQL: who has none of them waits for none of them, and needs none of them.

    Checks before a run wait for no library of networks either.
    """
    code = """
import importlib, pkgutil, sys, pt4al, pt4al.project.runs.preflight
print(sorted({"timm", "torchvision"} & sys.modules.keys()))
for module in pkgutil.walk_packages(pt4al.__path__, "pt4al."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(sorted({"ray", "grpc", "boto3", "botocore", "s3fs", "psycopg"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]"]
