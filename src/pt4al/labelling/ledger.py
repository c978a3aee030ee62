"""Compare what was asked, what the oracle answered, and what the label set holds."""

import pandas as pd

LEDGER = ["cycle", "id"]


def compare(
    start: pd.DataFrame,
    queries: list[pd.DataFrame],
    answers: list[pd.DataFrame],
    label_set: pd.DataFrame,
    budget: int,
    test_ids: pd.Series,
) -> pd.DataFrame:
    """Check that nothing is known but what was asked for.

    Parameters
    ----------
    start
        The label set before cycle 0.
    queries, answers
        One a cycle: `id`; `id`, `label`.
    label_set
        After the last cycle: `id`, `label`, `cycle`.
    budget
        Ids that a query may hold.
    test_ids
        Of the test split.

    Returns
    -------
    `check` (a sentence), `ok` (whether it is true), `found` (what was counted, or the first that breaks it).
    """
    asked, answered = _ledger(queries), _ledger(answers)
    # As rows, not as sets: what is there twice must be there twice.
    learnt = label_set[~label_set["id"].isin(start["id"])]
    unlike = _differences(learnt[[*LEDGER, "label"]], answered)
    unasked = _differences(answered[LEDGER], asked[LEDGER])
    again = asked[asked["id"].duplicated() | asked["id"].isin(start["id"])]
    over = asked[asked.groupby("cycle").cumcount() >= budget]
    tested = pd.concat([label_set, asked])[lambda rows: rows["id"].isin(test_ids)]
    return pd.DataFrame(
        [
            _row("Every label of the label set was asked for, in its cycle, and is as answered.", unlike, len(learnt)),
            _row("The oracle answered the queries and nothing else.", unasked, len(answered)),
            _row("No id was asked for twice.", again, len(asked)),
            _row(f"No query holds more than the {budget} ids of the budget.", over, len(asked)),
            _row("No image of the test split is in a query or in the label set.", tested, len(test_ids)),
        ]
    )


def _ledger(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([table.assign(cycle=cycle) for cycle, table in enumerate(tables)], ignore_index=True)


def _differences(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Rows that stand more often in one of the tables than in the other."""
    both = pd.concat([table.assign(nth=table.groupby(list(table)).cumcount()) for table in (one, other[list(one)])])
    return both[~both.duplicated(keep=False)]


def _row(check: str, wrong: pd.DataFrame, counted: int) -> dict:
    if wrong.empty:
        return {"check": check, "ok": True, "found": f"{counted:,} ids compared"}
    first = wrong.iloc[0]
    found = f"{len(wrong):,} are not so, the first is {first['id']!r} of cycle {first['cycle']}"
    return {"check": check, "ok": False, "found": found}
