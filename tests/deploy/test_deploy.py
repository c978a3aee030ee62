"""What is deployed names what exists: files, versions, images, and commands that Kedro takes."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from pt4al.project.configuration.parsing import parse
from support.projects import ROOT, tiny

DEPLOY = ROOT / "deploy"
SCRIPTS = sorted(DEPLOY.glob("*.sh"))
FIELDS = {  # of KubeRay's RayCluster, version ray.io/v1
    "spec": {"rayVersion", "headGroupSpec", "workerGroupSpecs"},
    "headGroupSpec": {"rayStartParams", "template"},
    "workerGroupSpecs": {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"},
}
# Says what it was called with. Ray runs until it is ended; srun becomes what it starts. A health check waits for Ray on
# the first machine, kedro for Ray on all of them.
STAND_IN = """
import json, os, sys, time
name = os.path.basename(sys.argv[0])
told = {"words": [name, *sys.argv[1:]], "pid": os.getpid(), "address": os.environ["RAY_ADDRESS"]}
with open(os.environ["CALLS"], "a") as calls:
    print(json.dumps(told | {"token": os.environ["RAY_AUTH_TOKEN"]}), file=calls)
if name == "srun":
    command = [word for word in sys.argv[1:]]
    while command[0].startswith("--"):
        command.pop(0)
    os.execvp(command[0], command)
if name == "ray" and sys.argv[1] == "start":
    time.sleep(600)
needed = int(os.environ["STARTS"]) if name == "kedro" else 1
while open(os.environ["CALLS"]).read().count('["ray", "start"') < needed:
    time.sleep(0.02)
sys.exit(int(os.environ["ENDS"]) if name == "kedro" else 0)
"""


@pytest.fixture(scope="module")
def manifests() -> dict[str, dict[str, Any]]:
    """What Kubernetes is given, by kind."""
    documents = [one for file in DEPLOY.glob("*.yaml") for one in yaml.safe_load_all(file.read_text())]
    return {document["kind"]: document for document in documents}


@pytest.fixture(scope="module")
def pods(manifests: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    cluster = manifests["RayCluster"]["spec"]
    templates = [cluster["headGroupSpec"]["template"], *(group["template"] for group in cluster["workerGroupSpecs"])]
    return [
        template["spec"] for template in [*templates, manifests["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]]
    ]


def settings_of(arguments: list[str]) -> dict[str, Any]:
    """The settings that `--params=` names."""
    (typed,) = [word.removeprefix("--params=") for word in arguments if word.startswith("--params=")]
    return dict(part.split("=", 1) for part in typed.split(","))


def test_every_path_that_the_image_copies_is_there() -> None:
    copied = re.findall(r"(?m)^COPY (.*)$", (DEPLOY / "Dockerfile").read_text())
    assert len(copied) >= 4
    assert [path for line in copied for path in line.split()[:-1] if not (ROOT / path).exists()] == []


def test_the_image_is_installed_as_pinned_with_extras_that_exist_and_not_run_by_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    installs = re.findall(r"pip install (.*)", text)
    assert installs
    assert [line for line in installs if "--constraint constraints.txt" not in line] == []
    assert 'deploy = ["pt4al[' in (ROOT / "pyproject.toml").read_text()
    assert re.findall(r"(?m)^USER (\d+)$", text)[-1] != "0"
    assert "RAY_USAGE_STATS_ENABLED=0" in text


def test_the_cluster_has_the_fields_of_its_version(manifests: dict[str, dict[str, Any]]) -> None:
    cluster = manifests["RayCluster"]
    assert cluster["apiVersion"] == "ray.io/v1"
    assert cluster["spec"].keys() == FIELDS["spec"]
    assert cluster["spec"]["headGroupSpec"].keys() == FIELDS["headGroupSpec"]
    for group in cluster["spec"]["workerGroupSpecs"]:
        assert group.keys() == FIELDS["workerGroupSpecs"]
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    parameters = cluster["spec"]["headGroupSpec"]["rayStartParams"]
    assert {type(value) for value in parameters.values()} == {str}


def test_the_cluster_has_the_version_of_ray_that_is_pinned(manifests: dict[str, dict[str, Any]]) -> None:
    (pinned,) = re.findall(r"(?m)^ray==(\S+)", (ROOT / "constraints.txt").read_text())
    assert manifests["RayCluster"]["spec"]["rayVersion"] == pinned


def test_every_pod_has_the_same_image_disk_and_secrets_and_is_not_root(
    manifests: dict[str, dict[str, Any]], pods: list[dict[str, Any]]
) -> None:
    containers = [container for pod in pods for container in pod["containers"]]
    assert {container["image"] for container in containers} == {"pt4al:latest"}
    claim = manifests["PersistentVolumeClaim"]["metadata"]["name"]
    for pod, container in zip(pods, containers, strict=True):
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
        assert container["volumeMounts"] == [{"name": "data", "mountPath": "/project/data"}]
        assert {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"} in container["env"]
        assert {"name": "RAY_AUTH_MODE", "value": "token"} in container["env"]
        assert container["envFrom"] == [{"secretRef": {"name": "pt4al"}}]
        assert container["resources"]["requests"] == container["resources"]["limits"]


def test_the_job_types_one_command_at_a_time_that_kedro_takes(manifests: dict[str, dict[str, Any]]) -> None:
    job = manifests["CronJob"]
    assert job["apiVersion"] == "batch/v1"
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    template = job["spec"]["jobTemplate"]["spec"]
    assert template["backoffLimit"] == 0
    assert template["template"]["spec"]["restartPolicy"] == "Never"
    (container,) = template["template"]["spec"]["containers"]
    assert container["command"] == ["until_people", "kedro", "run"]
    cluster = settings_of(container["args"])["engine.cluster"]
    assert cluster == f"ray://{manifests['RayCluster']['metadata']['name']}-head-svc:10001"
    assert parse(tiny(engine={"cluster": cluster})).engine.cluster == cluster


def test_what_slurm_runs_by_default_is_a_command_that_kedro_takes() -> None:
    (typed,) = re.findall(r"(?m)^    set -- (.*)$", (DEPLOY / "slurm.sh").read_text())
    assert parse(tiny(engine={"cluster": settings_of(typed.split())["engine.cluster"]})).engine.cluster == "ray"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_ones_that_bash_can_read(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert script.stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize(("ends", "status"), [(0, 0), (75, 0), (1, 1), (2, 2)])
def test_waiting_for_people_is_no_failure_and_all_else_is_what_it_was(ends: int, status: int) -> None:
    command = [DEPLOY / "until_people.sh", "bash", "-c", f"exit {ends}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert ("waiting for people" in done.stdout) == (ends == 75)


@pytest.fixture
def slurm(tmp_path: Path) -> Callable[..., tuple[subprocess.CompletedProcess, list[dict[str, Any]]]]:
    """Run the job with stand-ins for srun, ray and kedro; return how it ended and what was called."""
    for name in ("srun", "ray", "kedro"):
        (tmp_path / name).write_text(f"#!{sys.executable}\n{STAND_IN}")
        (tmp_path / name).chmod(0o755)
    project = tmp_path / "project"  # without an environment whose ray the job would take
    project.mkdir()
    (project / "deploy").symlink_to(DEPLOY)

    def run(machines: int, *arguments: str, ends: int = 0) -> tuple[subprocess.CompletedProcess, list[dict[str, Any]]]:
        environment = os.environ | {
            "PATH": os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "CALLS": str(tmp_path / "calls"),
            "ENDS": str(ends),
            "STARTS": str(min(machines, 2)),
            "SLURM_SUBMIT_DIR": str(project),
            "SLURM_JOB_ID": "123456",
            "SLURM_JOB_NUM_NODES": str(machines),
            "SLURM_CPUS_PER_TASK": "16",
            "SLURM_GPUS_ON_NODE": "2",
            "SLURMD_NODENAME": "first",
        }
        command = ["bash", DEPLOY / "slurm.sh", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
        return done, [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]

    return run


def test_a_job_of_slurm_starts_ray_on_all_machines_types_the_command_and_ends_both(slurm) -> None:
    done, calls = slurm(4, ends=75)
    assert done.returncode == 0, done.stderr
    assert "waiting for people" in done.stdout
    (typed,) = [call for call in calls if call["words"][0] == "kedro"]
    assert typed["words"] == ["kedro", "run", "--pipelines=active_learning", "--params=engine.cluster=ray"]
    steps = [call["words"] for call in calls if call["words"][0] == "srun"]
    assert [next(word for word in step if word.startswith("--nodes=")) for step in steps] == ["--nodes=1", "--nodes=3"]
    head, workers = [call for call in calls if call["words"][:2] == ["ray", "start"]]
    assert "--head" in head["words"]
    assert "--port=23456" in head["words"]
    assert f"--address={typed['address']}" in workers["words"]
    assert typed["address"].endswith(":23456")
    assert {"--num-cpus=16", "--num-gpus=2", "--block"} <= set(head["words"]) & set(workers["words"])
    assert len({call["token"] for call in calls}) == 1
    assert len(typed["token"]) == 64
    assert not [call["pid"] for call in (head, workers) if psutil.pid_exists(call["pid"])]


def test_a_job_on_one_machine_types_what_follows_the_script_and_ends_as_it_ends(slurm) -> None:
    done, calls = slurm(1, "--env=tiny", "--params=engine.cluster=ray,run.name=x", ends=2)
    assert done.returncode == 2
    assert [call["words"] for call in calls if call["words"][0] == "kedro"] == [
        ["kedro", "run", "--env=tiny", "--params=engine.cluster=ray,run.name=x"]
    ]
    assert len([call for call in calls if call["words"][:2] == ["ray", "start"]]) == 1


def test_ray_takes_what_the_job_tells_it(slurm) -> None:
    pytest.importorskip("ray")
    from ray.scripts.scripts import start

    _, calls = slurm(2)
    told = {word.split("=")[0] for call in calls if call["words"][:2] == ["ray", "start"] for word in call["words"][2:]}
    assert len(told) > 5
    assert told <= {option for parameter in start.params for option in parameter.opts}
