"""What the labelling page gets of a run: pictures of its source, in the size that is asked for."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pt4al.project.runs.labelling_session import LabellingSession


class Photos:
    """A source of one large photo."""

    index = pd.DataFrame({"id": ["a"]})

    def pictures(self, rows: np.ndarray) -> list[bytes]:
        file = io.BytesIO()
        Image.new("RGB", (2400, 1200)).save(file, "JPEG")
        return [file.getvalue() for _ in rows]


@pytest.mark.parametrize(("size", "width"), [((), 1600), (("thumbnail",), 256), (("whole",), 2400)])
def test_a_picture_of_the_source_comes_in_the_size_that_is_asked_for(size: tuple, width: int) -> None:
    session = LabellingSession(run=None, project=None, source=Photos())
    picture = Image.open(io.BytesIO(session.picture("a", *size)))
    assert picture.size == (width, width // 2)
