"""Names of the folders that the catalog's paths are made of."""

from pt4al.project.configuration.identity import fingerprint
from pt4al.project.configuration.instructions import ANY
from pt4al.project.configuration.parameters import Parameters


def folders(parameters: Parameters, versioned: bool) -> dict[str, str]:
    """Return the names by what they are for.

    What does not depend on the query is shared by all runs with the same settings, and stands
    under their fingerprint. Under DVC, which keeps versions itself, names are fixed.
    """
    named = {
        "run": parameters.run.name,
        "comparison": parameters.comparison.name,
        "views": parameters.pretext.task,
    }
    if not versioned:
        return named | {"pool": "pool", "features": "features", "pretext": "pretext"}
    pool = fingerprint(parameters.pool, parameters.main.task)
    return named | {
        "pool": f"pool_{pool}",
        "features": f"features_{features_fingerprint(parameters)}",
        "pretext": f"pretext_{pretext_fingerprint(parameters)}",
    }


def pretext_fingerprint(parameters: Parameters) -> str:
    """Return what stands for the pretext network."""
    engine = parameters.engine.arithmetic
    made_with = [parameters.pool, parameters.pretext, engine, parameters.run.seed]
    if parameters.pretext.start_from == "features":
        made_with.append(parameters.features)
    return fingerprint(*made_with)


def features_fingerprint(parameters: Parameters) -> str:
    """Return what stands for the features.

    Threads are left out: they change roundings of a last, smaller minibatch, and no query where it
    was tried.
    """
    if parameters.features.from_pretext:
        return fingerprint(parameters.features, pretext_fingerprint(parameters))
    engine = parameters.engine
    made_with = [parameters.pool, parameters.features, engine.device, engine.precision]
    if engine.instructions != ANY:
        made_with.append(engine.instructions)
    return fingerprint(*made_with)
