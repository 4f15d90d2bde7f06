"""Strokes as the page sends them, and what no page of ours sends."""

import pytest

from viewfinder.errors import InputError
from viewfinder.labelling.outlining import Stroke
from viewfinder.studio.server.outlining import LastDecoded, strokes_of


def test_strokes_are_read():
    document = {"strokes": [{"points": [[1, 2.5]], "adds": True}, {"points": [], "adds": False}]}
    assert strokes_of(document) == [Stroke(((1.0, 2.5),)), Stroke((), adds=False)]


@pytest.mark.parametrize(
    "strokes",
    [
        None,
        [],
        {},
        [None],
        [{}],
        [{"points": [[1, 2]], "adds": 1}],
        [{"points": [[1]], "adds": True}],
        [{"points": [[1, True]], "adds": True}],
        [{"points": [[1, float("nan")]], "adds": True}],
        [{"points": [[10**400, 2]], "adds": True}],
        [{"points": [["1", 2]], "adds": True}],
        [{"points": [[1, 2]] * 5000, "adds": True}],
        [{"points": [[1, 2]], "adds": True}] * 300,
    ],
)
def test_others_are_refused(strokes):
    with pytest.raises(InputError):
        strokes_of({"strokes": strokes})


def test_a_picture_that_is_no_more_is_refused(photos):
    decoded = LastDecoded()
    file = photos / "0.jpg"
    pixels, size = decoded.get(file)
    assert decoded.get(file)[0] is pixels
    assert pixels.shape == (size[1], size[0], 3)
    file.unlink()
    with pytest.raises(InputError):
        decoded.get(file)
