"""The command of a run that people label: its check, and the message at its end."""

from pt4al.annotation.progress import Progress
from pt4al.errors import InputError, did_you_mean
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.runs.folder import RunFolder
from pt4al.training.tasks import TASKS


def check_classes(parameters: Parameters, folder: RunFolder) -> None:
    """Raise InputError if a class has gone that the run had, or has another place.

    Numbers of classes stand in networks and masks: a name may come, at the end, and none may go.
    """
    now = parameters.oracle.classes
    if parameters.run.fresh:
        return
    then = folder.read("classes.json")
    if now is None:
        _check_descriptions(parameters.oracle.descriptions, then)
        return
    if then is not None and now[: len(then)] != then:
        raise InputError(
            f"`oracle.classes` is {'/'.join(now)}; run {folder.name!r} has {'/'.join(then)}: "
            "more may be added at the end, and the others have to stay"
        )


def _check_descriptions(descriptions: dict[str, str], classes: list[str] | None) -> None:
    for name in descriptions:
        if classes is not None and name not in classes:
            raise InputError(
                f"`oracle.descriptions` has {name!r}, which is no class: "
                f"{did_you_mean(name, classes)}"
            )


def request(parameters: Parameters, cycle: int, progress: Progress) -> str:
    """Return the message on a query that waits for answers."""
    run = parameters.run.name
    label = f"kedro label --run={run}"
    then = ", which goes on by itself"
    other = "spreadsheet, Label Studio"
    if TASKS[parameters.main.task].dense:
        label = f"kedro label-studio push --run={run}, then pull"
        then = ""
        other = "a folder of masks, COCO"
    left = len(progress.images) - progress.answered
    missing = f"{left} missing" if left else "complete"
    return (
        f"Run {run}, round {cycle + 1} of {parameters.cycles.number}: {progress}; {missing}.\n"
        f"  To label:  {label}{then}\n"
        f"  Other ways ({other}):  kedro answers --help, kedro label-studio --help\n"
        "  To go on, whenever there are answers: this command again."
    )
