"""Write what became of a source's pictures as one HTML page that needs nothing but itself."""

from collections import Counter
from collections.abc import Iterable

from pt4al.pages.render import environment

SHOWN = {"problems": 200, "duplicates": 50, "classes": 200, "narrow": 50}

KINDS = ("exact", "near")


def render(facts: dict) -> str:
    """Return the page.

    Parameters
    ----------
    facts
        `title`: a line. `read`: a sentence on what was read. `warnings`: sentences. `counts`: one
        dict a split with `split`, `total` (images) and `classes` (labels by class name; empty
        without labels). `frame`: `height`, `width`, `channels`, `fit`. `size`: a sentence on why
        images have their size. `problems`: dicts with `file`, `reason`. `duplicates`: dicts as the
        rows of `pt4al.images.duplicates.find`, with `label`, `other_label`, and whether both are
        one file (`linked`). `narrow`: dicts as the rows of `pt4al.images.ranges.narrow`. `figures`:
        PNG files by name, `sample` and `duplicates`; those that are missing are left out.

    Raises
    ------
    jinja2.UndefinedError
        If a fact is missing; it names it.
    """
    problems, duplicates, counts = (
        facts.get(name, []) for name in ("problems", "duplicates", "counts")
    )
    return (
        environment()
        .get_template("intake.html")
        .render(
            facts,
            shown=SHOWN,
            classes=list(dict.fromkeys(name for row in counts for name in row["classes"])),
            reasons=Counter(
                problem["reason"].partition(" (")[0] for problem in problems
            ).most_common(),
            repeating={
                kind: _pictures(pair for pair in duplicates if pair["kind"] == kind)
                for kind in KINDS
            },
            across=_pictures(pair for pair in duplicates if pair["split"] != pair["other_split"]),
            contradictions=_contradictions(duplicates),
            links=_pictures(pair for pair in duplicates if pair["linked"]),
        )
    )


def found(duplicates: list[dict], source: str) -> list[str]:
    """Return warnings, a sentence each, on what pairs of pictures show: `facts["duplicates"]`."""
    contradictions = _contradictions(duplicates)
    if not contradictions:
        return []
    first = contradictions[0]
    many = f"{len(contradictions):,} {'picture stands' if len(contradictions) == 1 else 'pictures stand'}"
    return [
        f"{many} in {source} under two classes: one label of each is wrong. The first is {first['id']} "
        f"({first['label']}), the same as {first['other']} ({first['other_label']})"
    ]


def _contradictions(duplicates: list[dict]) -> list[dict]:
    """Return the exact repetitions whose labels differ."""
    return [
        pair
        for pair in duplicates
        if pair["kind"] == "exact"
        and isinstance(pair["label"], str)
        and isinstance(pair["other_label"], str)
        and pair["label"] != pair["other_label"]
    ]


def _pictures(pairs: Iterable[dict]) -> int:
    """How many pictures, of which one may stand in many pairs."""
    return len({pair["id"] for pair in pairs})
