"""Why an image was chosen, in one sentence: only by what its strategy looked at.

No torch is imported here: pages read tables of reasons.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from pt4al.errors import counted

WAVERS = 0.5  # of the likeliest class's probability, that the second has at least
ORDINARY = "query"  # role of what the strategy chose, where a query says no roles


@dataclass(frozen=True)
class Grounds:
    """What chose the images of a query, and what it looked at.

    Attributes
    ----------
    rule
        `random`, `even_intervals`, or a strategy.
    first
        Whether it is the first query: there was no model.
    measure
        Of uncertainty, where it counted; `probabilities` where those did; else empty.
    likeness
        Whether it compared features.
    in_batch
        Whether it chose from a batch of the ranking.
    balanced
        Whether it shared the budget among predicted classes.
    """

    rule: str
    first: bool = False
    measure: str = ""
    likeness: bool = False
    in_batch: bool = False
    balanced: bool = False

    @property
    def needs_likely(self) -> bool:
        """Whether it looked at the probabilities of classes."""
        return self.balanced or self.measure not in ("", "bald", "learning_loss")


def add_grounds(
    reasons: pd.DataFrame,
    query: pd.DataFrame,
    grounds: Grounds,
    probabilities: np.ndarray | None = None,
    classes: list[str] | None = None,
) -> pd.DataFrame:
    """Return reasons, see `explain`, with what `sentence` reads besides.

    Parameters
    ----------
    query
        `id`, and `role` where it says roles; in the order of the reasons.
    probabilities
        (N, classes), of the model when it chose; None where nothing looked at them.

    Returns
    -------
    The same columns and, after them, `role`, the fields of `grounds`, and `likely`: JSON, the two
    likeliest classes and their probabilities, where they counted; else empty.
    """
    likely = [""] * len(reasons)
    if probabilities is not None:
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
        pairs = np.take_along_axis(probabilities, order, 1)
        likely = [
            json.dumps([[classes[n], round(float(p), 4)] for n, p in zip(names, row, strict=True)])
            for names, row in zip(order, pairs, strict=True)
        ]
    roles = query["role"].to_numpy() if "role" in query else ORDINARY
    return reasons.assign(role=roles, **asdict(grounds), likely=likely)


def sentence(reason: Mapping[str, Any]) -> str | None:
    """Return why an image was chosen; None if the table is of a version that did not note it.

    `reason` is a row of `add_grounds`.

    Examples
    --------
    >>> sentence(row)
    'The model wavers between face (47 %) and airplane (45 %).'
    """
    if "rule" not in reason:
        return None
    if reason["role"] == "control":
        return "A control image, drawn at random to measure the model."
    said = _said(reason)
    if reason["role"] == "reserve":
        said = f"The next best, for one that was skipped. {said}"
    return said


def _said(reason: Mapping[str, Any]) -> str:
    if reason["rule"] == "random":
        what = "Drawn at random"
        where = f" from batch {reason['batch']} of the ranking" if reason["in_batch"] else ""
        return f"{what}{where}: the first query." if reason["first"] else f"{what}{where}."
    if reason["rule"] == "even_intervals":
        return f"Taken at even intervals of the ranking: {_place(reason)}."
    parts = []
    if reason["measure"]:
        parts.append(_of_model(reason))
    elif reason["balanced"]:
        (name, probability), *_ = json.loads(reason["likely"])
        parts.append(f"the model takes it for {name} ({probability:.0%})".replace("%", " %"))
    if reason["likeness"]:
        parts.append(_of_likeness(reason, bool(parts)))
    if reason["in_batch"]:
        parts.append(f"{_place(reason)} of the ranking")
    whole = "; ".join(parts)
    return f"{whole[0].upper()}{whole[1:]}."


def _place(reason: Mapping[str, Any]) -> str:
    return f"place {reason['place']:,} of {reason['places']:,} in batch {reason['batch']}"


def _of_likeness(reason: Mapping[str, Any], after: bool) -> str:
    others = int(reason["stands_for"]) - 1
    start = "it stands" if after else "stands"
    if not others:
        return f"{start} for itself alone: no other unlabelled image looks most like it"
    look = "looks" if others == 1 else "look"
    return f"{start} for {counted(others, 'other unlabelled image')} that {look} like it"


def _of_model(reason: Mapping[str, Any]) -> str:
    measure = reason["measure"]
    if measure == "bald":
        return f"parts of the model disagree about it ({reason['score']:.2f} nats)"
    if measure == "learning_loss":
        return f"the model expects to be wrong about it (a loss of {reason['score']:.2f})"
    if not reason["likely"]:  # of masks, which have one in each pixel
        return f"its pixels have a mean uncertainty of {reason['score']:.2f} ({measure})"
    pairs = json.loads(reason["likely"])
    named = [f"{name} ({100 * probability:.0f} %)" for name, probability in pairs]
    if len(pairs) == 1:
        return f"the model says {named[0]}"
    first, second = (probability for _, probability in pairs)
    if second >= WAVERS * first:
        return f"the model wavers between {named[0]} and {named[1]}"
    if reason["rule"] == "top":
        return f"the model was least sure of images like this one: {named[0]}, then {named[1]}"
    return f"the model says {named[0]}, then {named[1]}"
