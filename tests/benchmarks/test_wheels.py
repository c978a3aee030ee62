"""Which wheels a machine without a network needs: what pt4al needs less what is there."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

from support.projects import ROOT

NEEDS = {
    "pt4al": ["torch>=2.6", "numpy>=2", "tracker>=3", "images", 'notebooks; extra == "dev"'],
    "tracker": ["numpy<3", "Web_Server>=1", 'tomli; python_version < "3.11"', 'colors; sys_platform == "win32"'],
    "web-server": ["tracker", "tables[fast]"],
    "tables": ['compiled; extra == "fast"', 'slow; extra == "pure"'],
    "torch": ["cuda-kernels"],
    "images": ["numpy>=2.2"],
}


@pytest.fixture
def wheels(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module("wheels")
    del sys.modules["wheels"]


def wanted_by(name: str) -> list[Requirement]:
    return [Requirement(line) for line in NEEDS.get(name, [])]


def missing(wheels: ModuleType, **present: str) -> list[str]:
    return wheels.missing("pt4al", wanted_by, wheels.target("3.12"), {"torch": "2.11", **present})


def test_what_is_missing_is_the_closure_less_what_is_there(wheels) -> None:
    assert missing(wheels) == ["compiled", "images", "numpy", "tables", "tracker", "web-server"]
    assert missing(wheels, numpy="2.4", tables="") == ["images", "tracker", "web-server"]


def test_torch_is_never_carried_whatever_its_version(wheels) -> None:
    assert "torch" not in missing(wheels, torch="2.1")
    assert "cuda-kernels" not in missing(wheels)


def test_a_package_in_a_version_that_will_not_do_is_carried(wheels) -> None:
    assert "numpy" in missing(wheels, numpy="2.1")
    assert "numpy" not in missing(wheels, numpy="2.1", images="")  # those that are there fit what is there
    assert "numpy" not in missing(wheels, numpy="2.4")
    assert "numpy" in missing(wheels, numpy="3.0")


def test_requirements_are_those_of_the_other_machine(wheels) -> None:
    older = wheels.missing("pt4al", wanted_by, wheels.target("3.10"), {"torch": ""})
    assert set(older) - set(missing(wheels)) == {"tomli"}


def test_lists_are_read_with_and_without_versions(wheels, tmp_path: Path) -> None:
    path = tmp_path / "present.txt"
    path.write_text("# there\ntorch==2.11.0+cu130\nPyYAML==6.0\nnumpy\nlocal @ file:///x\n-e git+https://x\n\n")
    assert wheels.listed(path) == {"torch": "2.11.0", "pyyaml": "6.0", "numpy": "", "local": ""}


def test_versions_are_the_pinned_ones(wheels) -> None:
    pins = {line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("kedro==")}
    assert set(wheels.pinned(["kedro"], wheels.target("3.12"))) == pins


def test_all_that_this_project_lacks_beside_torch_has_a_version(wheels) -> None:
    environment = wheels.target("3.12")
    names = wheels.missing("pt4al", wheels.installed, environment, {"torch": "", "torchvision": "", "numpy": ""})
    assert {"kedro", "mlflow", "pydantic", "pydantic-core"} <= set(names)
    assert not {"torch", "numpy", "pytest", "ruff"} & set(names)
    assert all("==" in pin for pin in wheels.pinned(names, environment))


def test_wheels_of_another_python_or_system_are_noticed(wheels) -> None:
    names = [
        "pure-1.0-py3-none-any.whl",
        "old-1.0-py2.py3-none-any.whl",
        "abi-1.0-cp311-abi3-manylinux_2_28_x86_64.whl",
        "own-1.0-cp312-cp312-manylinux_2_26_x86_64.manylinux_2_28_x86_64.whl",
        "other-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        "mac-1.0-cp312-cp312-macosx_11_0_arm64.whl",
    ]
    assert wheels.unusable(names, "3.12") == names[4:]


@pytest.mark.parametrize("absent", ["torch", "torchvision"])
def test_a_machine_without_torch_is_one_message(wheels, tmp_path, monkeypatch, absent) -> None:
    path = tmp_path / "present.txt"
    path.write_text("\n".join({"torch", "torchvision"} - {absent}))
    monkeypatch.setattr(sys, "argv", ["wheels.py", str(path), f"--folder={tmp_path / 'wheels'}"])
    with pytest.raises(SystemExit, match=f"lists no {absent}: install"):
        wheels.main()
    assert not (tmp_path / "wheels").exists()
