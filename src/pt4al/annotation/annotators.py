"""How often each annotator agrees with the others, and on which images people disagree."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from pt4al.annotation.aggregation import Policy, aggregate
from pt4al.annotation.log import effective, stand_for_masks
from pt4al.errors import counted

LISTED = 10  # disputed images in words
FEWEST = 10  # images, below which kappa says nothing


def labels_in_common(history: pd.DataFrame) -> pd.DataFrame:
    """Return what people called the images that at least two of them have labelled.

    One row an image, one column a person; missing: no label of theirs. Skips and masks are left
    out, and so are reviews, which are made knowing the other answers.

    Parameters
    ----------
    history
        As `AnswerLog.read` returns it.
    """
    standing = effective(history)
    labels = standing[standing["label"].notna() & ~standing["review"]]
    labels = labels[~stand_for_masks(labels["label"])]
    newest = labels.drop_duplicates(["id", "annotator"], keep="last")
    table = newest.pivot_table(
        index="id", columns="annotator", values="label", aggfunc="last", sort=False
    )
    shared = table[table.notna().sum(axis=1) >= 2]
    return shared.loc[:, shared.notna().any()]


def majority(labels: pd.Series) -> str | None:
    """Return the most frequent label; None where several are: a tie."""
    votes = labels.value_counts()
    return None if (votes == votes.iloc[0]).sum() > 1 else votes.index[0]


def compare_annotators(shared: pd.DataFrame) -> pd.DataFrame:
    """Return how far each annotator agrees with what most of the others say.

    A person's own answer is no part of what it is compared with; images are left out where the
    others tie. Between two people both rows are the same.

    Parameters
    ----------
    shared
        As `labels_in_common` returns it.

    Returns
    -------
    `annotator`; `images` (compared); `agreed`, `low`, `high`: the share of them, with Wilson's 95 %
    interval; `kappa` (Cohen's; NaN below 10 images, and where only one class was named); `often`:
    the most frequent difference, (own label, the others', images), or None.
    """
    from statsmodels.stats.proportion import proportion_confint  # imports scipy

    rows = []
    for name in shared.columns:
        own = shared[name].dropna()
        others = shared.loc[own.index].drop(columns=name).apply(majority, axis=1)
        compared = others.notna()
        own = own[compared]
        others = others[compared]
        if own.empty:
            continue
        same = int((own == others).sum())
        low, high = proportion_confint(same, len(own), method="wilson")
        pairs = Counter(zip(own[own != others], others[own != others], strict=True))
        often = None
        if pairs:
            (label, most), images = pairs.most_common(1)[0]
            often = (label, most, images)
        rows.append(
            {
                "annotator": name,
                "images": len(own),
                "agreed": same / len(own),
                "low": float(low),
                "high": float(high),
                "kappa": _kappa(own, others),
                "often": often,
            }
        )
    columns = ["annotator", "images", "agreed", "low", "high", "kappa", "often"]
    return pd.DataFrame(rows, columns=columns).sort_values("agreed", ignore_index=True)


def find_disputed(shared: pd.DataFrame, history: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Return the images that people call differently, those with the narrowest majorities first.

    Parameters
    ----------
    shared
        As `labels_in_common` returns it.
    history, policy
        As `aggregation.aggregate` takes them.

    Returns
    -------
    `id`; `votes`: (label, names of people) of each label, the most frequent first; `most`: what
    most say, missing where that is a tie; `taken`: the label that counts, missing while nobody has decided.
    """
    differing = shared[shared.apply(lambda labels: len({*labels.dropna()}), axis=1) > 1]
    answers = history[history["id"].isin(differing.index)]
    taken = aggregate(answers, policy).set_index("id")["label"]
    rows = []
    for image, labels in differing.iterrows():
        given = labels.dropna()
        people = given.index.to_series().groupby(given.to_numpy()).agg(list)
        votes = sorted(people.items(), key=lambda vote: -len(vote[1]))
        lead = (len(votes[0][1]) - len(votes[1][1])) / len(given)
        most = majority(given)
        rows.append({"id": image, "votes": votes, "most": most, "lead": lead})
    table = pd.DataFrame(rows, columns=["id", "votes", "most", "lead"])
    table = table.sort_values("lead", kind="stable", ignore_index=True).drop(columns="lead")
    return table.assign(taken=table["id"].map(taken))


def describe(history: pd.DataFrame, policy: Policy) -> list[str]:
    """Return a line for each of several annotators, and for each of the first disputed images."""
    shared = labels_in_common(history)
    lines = []
    if shared.shape[1] > 2:
        lines = [_person(row) for row in compare_annotators(shared).itertuples()]
    disputed = find_disputed(shared, history, policy)
    if len(disputed):
        ties = int(disputed["most"].isna().sum())
        lines.append(f"They differ on {counted(len(disputed), 'image')}, {ties} of them ties:")
    for row in disputed.head(LISTED).itertuples():
        votes = ", ".join(f"{label} ({', '.join(names)})" for label, names in row.votes)
        taken = "not decided" if pd.isna(row.taken) else f"taken: {row.taken}"
        lines.append(f"  {row.id}: {votes}; {taken}")
    return lines


def _person(row: Any) -> str:
    line = (
        f"  {row.annotator}: as most of the others on {100 * row.agreed:.0f} % of "
        f"{counted(row.images, 'image')} ({100 * row.low:.0f} to {100 * row.high:.0f})"
    )
    if row.often is None:
        return line
    own, most, images = row.often
    return f"{line}; {own!r} where they say {most!r}: {images}"


def _kappa(own: pd.Series, others: pd.Series) -> float:
    from sklearn.metrics import cohen_kappa_score

    if len(own) < FEWEST or len({*own, *others}) == 1:
        return np.nan
    return float(cohen_kappa_score(own, others))
