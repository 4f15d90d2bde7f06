"""What was learnt looks at pictures by several views of each, where they are not too many."""

import numpy as np
import pytest
from untrained import untrained_detector

from viewfinder.pictures.writing import write_picture
from viewfinder.studio.learning import looking
from viewfinder.studio.learning.asked import ProposerRequest


@pytest.fixture
def learnt(tmp_path):
    """A run whose net is not trained, but believes in many objects."""
    return untrained_detector(tmp_path / "run", ("cat", "dog")).folder


def test_few_pictures_are_asked_about_several_times(tmp_path, learnt, monkeypatch):
    picture = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    write_picture(tmp_path / "photos" / "0.png", picture)

    def found(by):
        asked = ProposerRequest(by, str(learnt))
        (proposed,) = looking.look(tmp_path / "photos", asked, ["0.png"])
        return proposed.proposals.found

    several, once = found("learnt"), found("detector")
    assert len(several)
    assert len(several) != len(once) or not np.allclose(several.boxes, once.boxes)
    monkeypatch.setattr(looking, "_MOST_VIEWED", 0)
    assert np.array_equal(found("learnt").boxes, once.boxes)
