"""What was learnt looks at pictures by several views of each, where they are not too many."""

import numpy as np
import pytest
from untrained import untrained_detector

from viewfinder.pictures.writing import write_picture
from viewfinder.studio.learning import looking, second_look
from viewfinder.studio.learning.asked import ProposerRequest
from viewfinder.studio.store import Operation, PutBox, PutClass, open_store


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

    once = found("detector")
    assert np.array_equal(found("learnt").boxes, once.boxes)  # it learnt from too few for that
    monkeypatch.setattr(looking, "_LEAST_LEARNT", 0)
    several = found("learnt")
    assert len(several)
    assert len(several) != len(once) or not np.allclose(several.boxes, once.boxes)
    monkeypatch.setattr(looking, "_MOST_VIEWED", 0)
    assert np.array_equal(found("learnt").boxes, once.boxes)


def test_classes_are_judged_again_by_the_labels_of_now(tmp_path, learnt, monkeypatch):
    monkeypatch.setattr(second_look, "_WEIGHT", 0.9)
    monkeypatch.setattr(looking, "_LEAST_LEARNT", 0)
    noise = np.random.default_rng(0).integers(0, 60, (8, 60, 90, 3), np.uint8)
    for number, picture in enumerate(noise):
        picture[..., number % 2] += 190  # red ones are cats, green ones dogs
        write_picture(tmp_path / "photos" / f"{number}.png", picture)
    asked = ProposerRequest("learnt", str(learnt))

    def surest():
        (proposed,) = looking.look(tmp_path / "photos", asked, ["6.png", "7.png"])
        rows, found = proposed.proposals.pictures, proposed.proposals.found
        best = [max(np.flatnonzero(rows == each), key=found.scores.__getitem__) for each in (0, 1)]
        return [proposed.proposals.classes[found.labels[each]] for each in best]

    assert surest() == ["dog", "cat"]
    with open_store(tmp_path / "photos", wait=True) as store:
        store.apply(
            Operation("classes", (PutClass("c", "cat", 0), PutClass("d", "dog", 0, position=1)))
        )
        for number in range(6):
            box = PutBox(f"b{number}", number + 1, "cd"[number % 2], (10, 10, 60, 50), 0)
            store.apply(Operation(f"box-{number}", (box,)))
    assert surest() == ["cat", "dog"]
