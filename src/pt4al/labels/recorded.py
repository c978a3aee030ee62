"""Oracles: who answers a query."""

import pandas as pd

from pt4al.errors import InputError


class Recorded:
    """Answers from a table of labels that exist already: a benchmark."""

    def __init__(self, labels: pd.DataFrame):
        """Take a table `id`, `label`."""
        self._labels = labels.set_index("id")["label"]

    def label(self, ids: pd.Series) -> pd.DataFrame:
        """Return `id`, `label`, in the order asked; InputError if one has no recorded label."""
        unknown = ids[~ids.isin(self._labels.index)]
        if len(unknown):
            raise InputError(
                f"{len(unknown)} of {len(ids)} queried images have no recorded label, the first is "
                f"{unknown.iloc[0]!r}: `oracle.kind: recorded` needs a label for every image of the pool"
            )
        return pd.DataFrame({"id": ids, "label": self._labels.loc[ids].to_numpy()}).reset_index(
            drop=True
        )
