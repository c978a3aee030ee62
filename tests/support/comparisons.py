"""A comparison smaller than tiny: what is tested is not how well it learns."""

from pathlib import Path

SMALL = {
    "comparison": {"name": "c", "repeated": None},
    "cycles": {"number": 2, "budget": 10},
    "main": {"schedule": {"epochs": 1}},
}


def parameters(project: Path) -> dict:
    """The parameters of environment tiny, as a run has them."""
    from kedro.framework.startup import bootstrap_project

    from pt4al.project.runs.resume import Session

    bootstrap_project(project)
    with Session.create(project_path=project, env="tiny", runtime_params=SMALL, save_on_close=False) as session:
        return session.load_context().catalog.load("parameters")
