"""Names of the folders that the catalog's paths are made of."""

from pt4al.parameters import Parameters, fingerprint


def folders(parameters: Parameters, versioned: bool) -> dict[str, str]:
    """Return the names by what they are for.

    What does not depend on the query is shared by all runs with the same settings, and stands
    under their fingerprint. Under DVC, which keeps versions itself, names are fixed.
    """
    named = {"run": parameters.run.name, "comparison": parameters.comparison.name}
    if not versioned:
        return named | {"pool": "pool", "pretext": "pretext"}
    pool = fingerprint(parameters.pool, parameters.main.task)
    pretext = fingerprint(parameters.pool, parameters.pretext, parameters.engine, parameters.run.seed)
    return named | {"pool": f"pool_{pool}", "pretext": f"pretext_{pretext}"}


def nested(settings: dict) -> dict:
    """Return settings by dotted name as blocks: the way back from `parameters.flat`."""
    whole: dict = {}
    for name, value in settings.items():
        *blocks, last = name.split(".")
        block = whole
        for step in blocks:
            block = block.setdefault(step, {})
        block[last] = value
    return whole
