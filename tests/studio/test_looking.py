"""What was learnt looks at pictures by several views of each, where they are not too many."""

import numpy as np
import pytest
import torch

from viewfinder.pictures.writing import write_picture
from viewfinder.runs.run import create_run
from viewfinder.studio.learning import looking
from viewfinder.studio.learning.asked import ProposerRequest
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.run_weights import new_net
from viewfinder.training.arrangement import Arrangement, Choice

OPTIONS = {"width": 0.125, "reach": 2.0}


@pytest.fixture
def learnt(tmp_path):
    """A run whose net is not trained, but believes in many objects."""
    manifest = Manifest(
        task="detect",
        net="yolov3-tiny",
        classes=("cat", "dog"),
        size=(96, 64),
        options=OPTIONS,
        mean=(0.1, 0.2, 0.3),
        std=(0.5, 0.4, 0.3),
        recipe=DetectRecipe(),
        versions={},
        data=dict.fromkeys(("source", "root", "layout", "fingerprint"), "")
        | {"images": {}, "per_class": {}},
        device="CPU",
        precision=Choice(Arrangement("32", "contiguous"), "as asked for", ()).as_json(),
    )
    run = create_run(tmp_path / "run", manifest)
    torch.manual_seed(0)
    net = new_net("yolov3-tiny", 2, OPTIONS)
    for name, parameter in net.named_parameters():
        if "predict" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    run.save_weights(net.state_dict())
    return tmp_path / "run"


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
