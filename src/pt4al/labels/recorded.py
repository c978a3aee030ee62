"""The oracle of a benchmark: labels that exist already."""

import pandas as pd

from pt4al.errors import InputError


def recorded_answers(labels: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """Return the recorded labels of `ids`: `id`, `label`, in the order asked.

    Raises
    ------
    InputError
        If an id is not in `labels` (`id`, `label`).
    """
    recorded = labels.set_index("id")["label"]
    missing = ids[~ids.isin(recorded.index)]
    if len(missing):
        raise InputError(
            f"{len(missing)} of {len(ids)} queried images have no recorded label, "
            f"the first is {missing.iloc[0]!r}: "
            "`oracle.kind: recorded` needs a label for every image of the pool"
        )
    answers = pd.DataFrame({"id": ids, "label": recorded.loc[ids].to_numpy()})
    return answers.reset_index(drop=True)
