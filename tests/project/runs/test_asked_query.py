"""What the labelling page gets of a run: pictures of its source, in the size that is asked for."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pt4al.project.runs.asked_query import AskedQuery


class Photos:
    """A source of one large photo."""

    index = pd.DataFrame({"id": ["a"]})

    def pictures(self, rows: np.ndarray) -> list[bytes]:
        file = io.BytesIO()
        Image.new("RGB", (2400, 1200)).save(file, "JPEG")
        return [file.getvalue() for _ in rows]


@pytest.mark.parametrize(("size", "width"), [((), 1600), (("thumbnail",), 256), (("whole",), 2400)])
def test_a_picture_of_the_source_comes_in_the_size_that_is_asked_for(size: tuple, width: int) -> None:
    asked = AskedQuery(run=None)
    vars(asked).update(_source=Photos(), _rows=pd.Index(["a"]))
    picture = Image.open(io.BytesIO(asked.picture("a", *size)))
    assert picture.size == (width, width // 2)
