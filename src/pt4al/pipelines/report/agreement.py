"""What a run's report says of how far people agree."""

from typing import Any

import pandas as pd

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.agreement import agreement, in_words
from pt4al.annotation.annotators import (
    TIE,
    compare_annotators,
    find_disputed,
    labels_in_common,
)
from pt4al.annotation.log import AnswerLog
from pt4al.pipelines.report.history import RunHistory
from pt4al.pipelines.report.suspects import pictures_of

SHOWN = 12  # disputed images, the narrowest majorities first


def compare_people(history: RunHistory, answer_log: AnswerLog) -> dict[str, Any]:
    """Return what `RunPage.agreement` holds; empty where no two people labelled the same image."""
    log = answer_log.read()
    sentence = agreement(log)
    if sentence is None:
        return {}
    shared = labels_in_common(log)
    oracle = history.settings.oracle
    policy = Policy(oracle.annotators, oracle.disagreement, oracle.skipped)
    disputed = find_disputed(shared, log, policy)
    tied = disputed["most"] == TIE
    overruled = ~tied & disputed["taken"].notna() & (disputed["taken"] != disputed["most"])
    people = compare_annotators(shared).to_dict("records")
    for row in people:
        row["word"] = None if pd.isna(row["kappa"]) else in_words(row["kappa"])
    return {
        "sentence": sentence,
        "annotators": people,
        "images": len(shared),
        "disputed": len(disputed),
        "ties": int(tied.sum()),
        "overruled": int(overruled.sum()),
        "rule": oracle.disagreement,
        "rows": _rows(disputed, history),
    }


def _rows(disputed: pd.DataFrame, history: RunHistory) -> list[dict[str, Any]]:
    inside = disputed[disputed["id"].isin(history.pool.ids)].head(SHOWN)
    rows = []
    for row, picture in zip(
        inside.itertuples(), pictures_of(history.pool, list(inside["id"])), strict=True
    ):
        taken = None if pd.isna(row.taken) else row.taken
        votes = [{"label": label, "people": ", ".join(names)} for label, names in row.votes]
        rows.append(
            {
                "id": row.id,
                "votes": votes,
                "tie": row.most == TIE,
                "taken": taken,
                "picture": picture,
            }
        )
    return rows
