"""What a run's report says of how far people agree."""

from typing import Any

import pandas as pd

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.agreement import agreement, in_words
from pt4al.annotation.annotators import compare_annotators, find_disputed, labels_in_common
from pt4al.annotation.log import AnswerLog
from pt4al.images.pool import ImagePool
from pt4al.pipelines.report.history import RunHistory
from pt4al.pipelines.report.suspects import pictures_of

SHOWN = 12  # disputed images, the narrowest majorities first


def compare_people(history: RunHistory, answer_log: AnswerLog) -> dict[str, Any]:
    """Return what `RunPage.agreement` holds but for pictures, as JSON keeps it.

    Empty where no two people labelled the same image.
    """
    log = answer_log.read()
    sentence = agreement(log)
    if sentence is None:
        return {}
    shared = labels_in_common(log)
    oracle = history.settings.oracle
    policy = Policy(oracle.annotators, oracle.disagreement, oracle.skipped)
    disputed = find_disputed(shared, log, policy)
    tied = disputed["most"].isna()
    overruled = ~tied & disputed["taken"].notna() & (disputed["taken"] != disputed["most"])
    return {
        "sentence": sentence,
        "annotators": [_person(row) for row in compare_annotators(shared).to_dict("records")],
        "images": len(shared),
        "disputed": len(disputed),
        "ties": int(tied.sum()),
        "overruled": int(overruled.sum()),
        "rule": oracle.disagreement,
        "rows": _rows(disputed[disputed["id"].isin(history.pool.ids)].head(SHOWN)),
    }


def with_pictures(facts: dict[str, Any], pool: ImagePool) -> dict[str, Any]:
    """Return what `compare_people` returns with the `picture` of each disputed image."""
    if not facts:
        return {}
    pictures = pictures_of(pool, [row["id"] for row in facts["rows"]])
    rows = [
        row | {"picture": picture} for row, picture in zip(facts["rows"], pictures, strict=True)
    ]
    return facts | {"rows": rows}


def _person(row: dict[str, Any]) -> dict[str, Any]:
    if pd.isna(row["kappa"]):
        return row | {"kappa": None, "word": None}
    return row | {"word": in_words(row["kappa"])}


def _rows(disputed: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for row in disputed.itertuples():
        votes = [{"label": label, "people": ", ".join(names)} for label, names in row.votes]
        taken = None if pd.isna(row.taken) else row.taken
        rows.append({"id": row.id, "votes": votes, "tie": pd.isna(row.most), "taken": taken})
    return rows
