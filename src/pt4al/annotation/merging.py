"""Bring the labels of several runs together: the newest answer counts, and contradictions are told."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

# `run`, and of each label what its run says of it.
COLUMNS = ["id", "label", "annotators", "answered", "run", "cycle", "why"]
SHOWN = 20  # contradictions that are told one by one


@dataclass(frozen=True)
class Merged:
    """Labels of several runs, one an image.

    Attributes
    ----------
    labels
        One row an image, with COLUMNS, in the order in which the images first came.
    contradictions
        `id`, `label` (the one that counts), `said`: who says what, in words, the newest last.
    """

    labels: pd.DataFrame
    contradictions: pd.DataFrame

    def sentences(self) -> list[str]:
        """Return one sentence a contradiction, the first SHOWN of them."""
        lines = [f"{row.id}: {row.said}" for row in self.contradictions.head(SHOWN).itertuples()]
        more = len(self.contradictions) - len(lines)
        return [*lines, f"... and {more} more"] if more else lines


def merge(tables: list[pd.DataFrame]) -> Merged:
    """Return one label an image: the one with the newest answer.

    Labels without a time (a source's, or brought by a person's file) are older than all answers; of
    equally old ones the later table's counts.

    Parameters
    ----------
    tables
        COLUMNS; `answered` in ISO 8601, or empty.
    """
    rows = pd.concat([table[COLUMNS] for table in tables], ignore_index=True)
    times = pd.to_datetime(rows["answered"], utc=True, format="ISO8601", errors="coerce")
    images = rows["id"].drop_duplicates()
    # Stable: of equally old ones the last stays last.
    rows = rows.assign(time=times).sort_values("time", kind="stable", na_position="first")
    newest = rows.drop_duplicates("id", keep="last").set_index("id")
    labels = newest.loc[images].reset_index()[COLUMNS]
    different = rows.groupby("id")["label"].nunique()
    disputed = images[images.isin(different.index[different > 1])]
    said = []
    for image, answers in rows[rows["id"].isin(disputed)].groupby("id", sort=False):
        words = ", then ".join(_said(row) for row in answers.itertuples())
        said.append({"id": image, "label": answers["label"].iloc[-1], "said": words})
    contradictions = pd.DataFrame(said, columns=["id", "label", "said"])
    contradictions = contradictions.set_index("id").loc[disputed].reset_index()
    return Merged(labels, contradictions)


def _said(row: Any) -> str:
    label = "a mask" if isinstance(row.label, bytes) else repr(row.label)
    who = f" by {row.annotators}" if row.annotators else ""
    when = f" on {row.answered[:10]}" if row.answered else ""
    return f"{label} in run {row.run}{who}{when}"
