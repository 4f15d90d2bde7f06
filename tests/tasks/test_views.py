"""Asking about a picture several times: boxes return to it, and the same answer stays the same."""

import numpy as np
import pytest
import torch
from torch import nn

from viewfinder import open_run
from viewfinder.tasks import find
from viewfinder.tasks.answering import Answering
from viewfinder.tasks.detect.answers.answering import _other_views
from viewfinder.tasks.detect.answers.fusing import fused
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.normalisation import PLAIN
from viewfinder.tasks.views import VIEWS, nearer, sized, times


def found(boxes, scores, labels):
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(labels, np.int64),
    )


def test_views_that_agree_say_the_same_and_others_less():
    one = found([[0, 0, 10, 10], [20, 20, 40, 40]], [0.9, 0.5], [0, 1])
    same = fused([one, one, one])
    assert same.boxes == pytest.approx(one.boxes)
    assert same.scores == pytest.approx(one.scores)
    none = found([], [], [])
    assert fused([one, none]).scores == pytest.approx(one.scores / 2)
    assert len(fused([none, none])) == 0


def test_a_box_is_the_mean_by_score_and_classes_stay_apart():
    views = [found([[0, 0, 10, 10]], [0.6], [0]), found([[2, 0, 12, 10]], [0.3], [0])]
    both = fused(views)
    assert both.boxes[0] == pytest.approx([2 / 3, 0, 10 + 2 / 3, 10], abs=1e-5)
    assert both.scores == pytest.approx([0.45])
    apart = fused([found([[0, 0, 10, 10]], [0.6], [0]), found([[0, 0, 10, 10]], [0.6], [1])])
    assert apart.labels.tolist() == [0, 1]


class Bright(Answering):
    """The box around what is bright."""

    def forward(self, pictures):
        boxes = []
        for picture in pictures:
            rows, columns = torch.nonzero(picture.mean(0) > 0.5, as_tuple=True)
            corners = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            boxes.append(torch.stack(corners).float()[None])
        return torch.stack(boxes), torch.full((len(pictures), 1, 1), 0.8)


def test_boxes_of_every_view_lie_where_the_thing_is():
    pictures = torch.zeros(1, 3, 64, 96)
    pictures[:, :, 8:24, 16:56] = 1
    config = ModelConfig("detect", "a", ("thing",), (96, 64), PLAIN)
    views = _other_views(Bright(), pictures, config, torch.device("cpu"), 32)
    assert len(views) == 3
    for (each,) in views:
        assert each.boxes[0] == pytest.approx([16, 8, 56, 24], abs=1.0)


def test_sizes_are_whole_strides():
    assert times((320, 256), 1.25, 32) == (384, 320)
    assert times((32, 32), 0.1, 32) == (32, 32)
    assert sized(torch.rand(1, 3, 10, 20), (40, 30)).shape == (1, 3, 30, 40)
    assert nearer(torch.full((1, 3, 32, 32), 0.5)) == pytest.approx(torch.full((1, 3, 32, 32), 0.5))


def test_a_map_of_a_mirrored_picture_returns():
    """The mean over a picture and its mirror image is the same map for both, mirrored."""

    class Net(nn.Module):
        def forward(self, pictures):
            light = pictures.mean(1, keepdim=True)
            return torch.cat([-light, light + torch.linspace(-1, 1, light.shape[3])], dim=1)

    config = ModelConfig("saliency", "a", ("subject",), (64, 64), PLAIN, habits={VIEWS: True})
    picture = torch.rand(1, 3, 64, 64)
    task = find("saliency")
    (one,) = task.reply(Net(), picture, config, torch.device("cpu"))
    (other,) = task.reply(Net(), picture.flip(3), config, torch.device("cpu"))
    assert one == pytest.approx(other[:, ::-1], abs=1e-5)


def test_evaluate_says_what_it_gains_and_costs(small_run, make_set, capsys):
    data, run = make_set(test=3), open_run(small_run)
    judged = run.evaluate(data, split="test", tta=True)
    assert judged["images"] == len(run.predict(data / "test", tta=True))
    told = capsys.readouterr().err
    assert "--tta: accuracy" in told
    assert "times as long" in told
