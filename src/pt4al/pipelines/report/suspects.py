"""What a run's report shows of labels that are likely wrong."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from pt4al.images.pool import ImagePool

SHOWN = 12  # labels, the worst first


def suspect_facts(suspects: pd.DataFrame | None, pool: ImagePool) -> dict[str, Any] | None:
    """Return what `RunPage.suspects` holds; None where no label was looked at."""
    if suspects is None or suspects.empty:
        return None
    found = suspects[suspects["suspicious"]]
    rows = []
    for row in found.head(SHOWN).itertuples():
        own, *near = pictures_of(pool, [row.id, *json.loads(row.near)])
        facts = {"id": row.id, "label": row.label, "suggested": row.suggested}
        rows.append({**facts, "quality": row.quality, "picture": own, "near": near})
    agreed = float((suspects["label"] == suspects["suggested"]).mean())
    return {"judged": len(suspects), "found": len(found), "agreed": agreed, "rows": rows}


def pictures_of(pool: ImagePool, ids: list[str]) -> list[bytes]:
    """Return images of the pool as PNG files."""
    return [_png(image) for image in pool.gather(pool.rows(pd.Series(ids))).numpy()]


def _png(image: np.ndarray) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(encoded, "PNG")
    return encoded.getvalue()
