"""Write what became of a source's pictures as one HTML page that needs nothing but itself."""

from collections import Counter

from pt4al.reporting.page import environment

SHOWN = {"problems": 200, "duplicates": 50, "classes": 200}


def render(facts: dict) -> str:
    """Return the page.

    Parameters
    ----------
    facts
        `title`: a line. `source`: where the pictures are from. `counts`: one dict a split with `split`, `total`
        (images) and `classes` (labels by class name; empty without labels). `frame`: `height`, `width`,
        `channels`, `fit`. `problems`: dicts with `file`, `reason`. `duplicates`: dicts as the rows of
        `pt4al.images.duplicates.find`. `figures`: PNG files by name, `sample` and `duplicates`; those that are
        missing are left out.

    Raises
    ------
    jinja2.UndefinedError
        If a fact is missing; it names it.
    """
    problems, duplicates, counts = (facts.get(name, []) for name in ("problems", "duplicates", "counts"))
    return (
        environment()
        .get_template("intake.html")
        .render(
            facts,
            shown=SHOWN,
            classes=list(dict.fromkeys(name for row in counts for name in row["classes"])),
            reasons=Counter(problem["reason"].partition(" (")[0] for problem in problems).most_common(),
            kinds=Counter(pair["kind"] for pair in duplicates),
            across=sum(pair["split"] != pair["other_split"] for pair in duplicates),
        )
    )
