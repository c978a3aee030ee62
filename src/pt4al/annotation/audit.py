"""Audit of a run: compare queries, the oracle's answers and the label set."""

import numpy as np
import pandas as pd

from pt4al.annotation.oracle import CORRECTION
from pt4al.annotation.progress import CONTROL, RELABEL, RESERVE

KEY = ["cycle", "id"]
ONCE = "No id was asked for twice."
ONCE_MORE = "No id was asked for twice; doubtful labels once more, none of them a control image's."


def compare(
    start: pd.DataFrame,
    queries: list[pd.DataFrame],
    answers: list[pd.DataFrame],
    label_set: pd.DataFrame,
    budgets: list[int],
    test_ids: pd.Series,
) -> pd.DataFrame:
    """Check that only what was asked for is known.

    Parameters
    ----------
    start
        The label set before cycle 0.
    queries, answers
        One table a cycle: `id`, perhaps `role`; `id`, `label`, perhaps `role`. With roles people
        have answered: perhaps late, or not everything, and a reserve may not have been needed; role
        `correction` changes a label, role `relabel` asks for one again.
    label_set
        The label set after the last cycle: `id`, `label`, `cycle`.
    budgets
        Number of ids that each cycle's query may hold.
    test_ids
        Ids of the test split.

    Returns
    -------
    `check` (a sentence), `ok` (whether it is true), `found` (what was counted, or the first
    violation).
    """
    asked = _by_cycle(queries)
    answered = _by_cycle(answers)
    repeated = asked[asked["role"] == RELABEL] if "role" in asked else asked[:0]
    asked = asked.drop(repeated.index)
    if "role" in answered:
        asked = _needed(asked, answered)
        answered = _corrected(answered, start)
        unasked = _early(answered, asked)
    else:
        unasked = _differences(answered[KEY], asked[KEY])
    # As rows, not as sets: what is there twice must be there twice.
    learnt = label_set[~label_set["id"].isin(start["id"])]
    unlike = _differences(learnt[[*KEY, "label"]], answered)
    again = asked[asked["id"].duplicated() | asked["id"].isin(start["id"])]
    if len(repeated):
        again = pd.concat([again, _wrongly_repeated(repeated, asked, start)])
        asked = pd.concat([asked, repeated])
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
            _row(ONCE_MORE if len(repeated) else ONCE, again, len(asked)),
            _row(f"No query holds more than the {most} ids of the budget.", over, len(asked)),
            _row(
                "No image of the test split is in a query or in the label set.",
                tested,
                len(test_ids),
            ),
        ]
    )


def _by_cycle(tables: list[pd.DataFrame]) -> pd.DataFrame:
    numbered = [table.assign(cycle=cycle) for cycle, table in enumerate(tables)]
    return pd.concat(numbered, ignore_index=True)


def _needed(asked: pd.DataFrame, answered: pd.DataFrame) -> pd.DataFrame:
    """Return the queries without unused reserves, which may be asked for again."""
    when = asked["id"].map(answered.drop_duplicates("id").set_index("id")["cycle"])
    used = (when == asked["cycle"]) | (when.notna() & ~asked["id"].duplicated(keep=False))
    return asked[(asked["role"] != RESERVE) | used]


def _corrected(answered: pd.DataFrame, start: pd.DataFrame) -> pd.DataFrame:
    """Return first answers, with the labels of the last: `id`, `label`, `cycle`."""
    newest = answered.drop_duplicates("id", keep="last").set_index("id")["label"]
    first = answered[(answered["role"] != CORRECTION) & ~answered["id"].isin(start["id"])]
    return first.assign(label=first["id"].map(newest)).drop(columns="role")


def _wrongly_repeated(
    repeated: pd.DataFrame, asked: pd.DataFrame, start: pd.DataFrame
) -> pd.DataFrame:
    """Return what was asked for again though it had no label, twice, or though it measures."""
    first = asked.drop_duplicates("id").set_index("id")["cycle"]
    known = repeated["id"].isin(start["id"]) | (repeated["id"].map(first) < repeated["cycle"])
    wrong = repeated["id"].duplicated() | ~known
    if "role" in asked:
        wrong |= repeated["id"].isin(asked["id"][asked["role"] == CONTROL])
    return repeated[wrong]


def _early(answered: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Return answers to what was not asked for, or not yet."""
    since = answered["id"].map(asked.drop_duplicates("id").set_index("id")["cycle"])
    return answered[~(since <= answered["cycle"])]


def _differences(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return rows that are more often in one of the tables than in the other."""
    numbered = [
        table.assign(nth=table.groupby(list(table)).cumcount()) for table in (one, other[list(one)])
    ]
    both = pd.concat(numbered)
    return both[~both.duplicated(keep=False)]


def _row(check: str, wrong: pd.DataFrame, counted: int) -> dict:
    if wrong.empty:
        return {"check": check, "ok": True, "found": f"{counted:,} ids compared"}
    first = wrong.iloc[0]
    message = f"{len(wrong):,} are not so, the first is {first['id']!r} of cycle {first['cycle']}"
    return {"check": check, "ok": False, "found": message}
