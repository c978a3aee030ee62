"""Compare what was asked, what the oracle answered, and what the label set holds."""

import numpy as np
import pandas as pd

from pt4al.annotation.oracle import CORRECTION
from pt4al.annotation.progress import RESERVE

LEDGER = ["cycle", "id"]


def compare(
    start: pd.DataFrame,
    queries: list[pd.DataFrame],
    answers: list[pd.DataFrame],
    label_set: pd.DataFrame,
    budgets: list[int],
    test_ids: pd.Series,
) -> pd.DataFrame:
    """Check that nothing is known but what was asked for.

    Parameters
    ----------
    start
        The label set before cycle 0.
    queries, answers
        One a cycle: `id`, perhaps `role`; `id`, `label`, perhaps `role`. With roles, people have
        answered: perhaps not everything, or late, and a reserve may not have been needed; role
        `correction` gives another label.
    label_set
        After the last cycle: `id`, `label`, `cycle`.
    budgets
        Ids that each cycle's query may hold.
    test_ids
        Of the test split.

    Returns
    -------
    `check` (a sentence), `ok` (whether it is true), `found` (what was counted, or the first that
    breaks it).
    """
    asked = _ledger(queries)
    answered = _ledger(answers)
    people = "role" in answered
    if people:
        asked = _needed(asked, answered)
        answered = _corrected(answered, start)
    # As rows, not as sets: what is there twice must be there twice.
    learnt = label_set[~label_set["id"].isin(start["id"])]
    unlike = _differences(learnt[[*LEDGER, "label"]], answered)
    unasked = _early(answered, asked) if people else _differences(answered[LEDGER], asked[LEDGER])
    again = asked[asked["id"].duplicated() | asked["id"].isin(start["id"])]
    own = asked[asked["role"] != RESERVE] if "role" in asked else asked
    over = own[own.groupby("cycle").cumcount() >= np.array(budgets)[own["cycle"].to_numpy(int)]]
    most = "/".join(map(str, budgets if len(set(budgets)) > 1 else budgets[:1]))
    tested = pd.concat([label_set, asked])[lambda rows: rows["id"].isin(test_ids)]
    return pd.DataFrame(
        [
            _row(
                "Every label of the label set was asked for, in its cycle, and is as answered.",
                unlike,
                len(learnt),
            ),
            _row("The oracle answered the queries and nothing else.", unasked, len(answered)),
            _row("No id was asked for twice.", again, len(asked)),
            _row(f"No query holds more than the {most} ids of the budget.", over, len(asked)),
            _row(
                "No image of the test split is in a query or in the label set.",
                tested,
                len(test_ids),
            ),
        ]
    )


def _ledger(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(
        [table.assign(cycle=cycle) for cycle, table in enumerate(tables)], ignore_index=True
    )


def _needed(asked: pd.DataFrame, answered: pd.DataFrame) -> pd.DataFrame:
    """What was asked, without the reserves that took nobody's place: those may be asked again."""
    when = asked["id"].map(answered.drop_duplicates("id").set_index("id")["cycle"])
    used = (when == asked["cycle"]) | (when.notna() & ~asked["id"].duplicated(keep=False))
    return asked[(asked["role"] != RESERVE) | used]


def _corrected(answered: pd.DataFrame, start: pd.DataFrame) -> pd.DataFrame:
    """The first answers, with the labels of the last: `id`, `label`, `cycle`."""
    newest = answered.drop_duplicates("id", keep="last").set_index("id")["label"]
    first = answered[(answered["role"] != CORRECTION) & ~answered["id"].isin(start["id"])]
    return first.assign(label=first["id"].map(newest)).drop(columns="role")


def _early(answered: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Answers to what was not asked, or not yet."""
    since = answered["id"].map(asked.drop_duplicates("id").set_index("id")["cycle"])
    return answered[~(since <= answered["cycle"])]


def _differences(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Rows that stand more often in one of the tables than in the other."""
    both = pd.concat(
        [
            table.assign(nth=table.groupby(list(table)).cumcount())
            for table in (one, other[list(one)])
        ]
    )
    return both[~both.duplicated(keep=False)]


def _row(check: str, wrong: pd.DataFrame, counted: int) -> dict:
    if wrong.empty:
        return {"check": check, "ok": True, "found": f"{counted:,} ids compared"}
    first = wrong.iloc[0]
    found = f"{len(wrong):,} are not so, the first is {first['id']!r} of cycle {first['cycle']}"
    return {"check": check, "ok": False, "found": found}
