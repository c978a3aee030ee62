"""Write what became of a source's pictures as one HTML page that needs nothing but itself."""

from collections import Counter
from collections.abc import Iterable

from pt4al.pages.facts import IntakePage
from pt4al.pages.render import render_page

SHOWN = {"problems": 200, "duplicates": 50, "classes": 200, "narrow": 50}

KINDS = ("exact", "near")


def render_intake_page(facts: IntakePage) -> str:
    """Return the page."""
    duplicates = facts.duplicates
    classes = dict.fromkeys(name for split in facts.counts for name in split["classes"])
    reasons = Counter(problem["reason"].partition(" (")[0] for problem in facts.problems)
    repeating = {
        kind: _pictures(pair for pair in duplicates if pair["kind"] == kind) for kind in KINDS
    }
    counted = {
        "shown": SHOWN,
        "classes": list(classes),
        "reasons": reasons.most_common(),
        "repeating": repeating,
        "across": _pictures(pair for pair in duplicates if pair["split"] != pair["other_split"]),
        "contradictions": _contradictions(duplicates),
        "links": _pictures(pair for pair in duplicates if pair["linked"]),
    }
    return render_page("intake.html", {**vars(facts), **counted})


def warn_of_contradictions(duplicates: list[dict], source: str) -> list[str]:
    """Return a sentence if a picture stands under two classes. `duplicates`: see `IntakePage`."""
    contradictions = _contradictions(duplicates)
    if not contradictions:
        return []
    pictures = "picture stands" if len(contradictions) == 1 else "pictures stand"
    first = contradictions[0]
    return [
        f"{len(contradictions):,} {pictures} in {source} under two classes: one label of each is "
        f"wrong. The first is {first['id']} ({first['label']}), the same as {first['other']} "
        f"({first['other_label']})"
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
    """Return how many pictures there are, of which one may stand in many pairs."""
    return len({pair["id"] for pair in pairs})
