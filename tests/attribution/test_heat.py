"""Heat maps: known where the answer is known, and equal to the equations worked out by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from viewfinder.attribution.asking import ExplainedNet
from viewfinder.attribution.changes import AS_IT_IS, changes
from viewfinder.attribution.heat import (
    GRAD_CAM,
    HIRES_CAM,
    LAYER_CAM,
    HeatMap,
    blurred,
    heat_maps,
    heats_of,
    layers,
    occlusion,
)
from viewfinder.attribution.inside import filters, stages
from viewfinder.attribution.integrated import same_kind
from viewfinder.attribution.page import placed
from viewfinder.attribution.reason import Reason, Reasons
from viewfinder.attribution.standing import Standing, standing_of
from viewfinder.attribution.summary import summary_of
from viewfinder.attribution.trials import (
    Deletion,
    alikeness,
    best_map,
    deletion,
    hottest,
    moves_as_far,
)
from viewfinder.tasks.detect.opinion.second import OPINION
from viewfinder.tasks.normalisation import PLAIN
from viewfinder.tasks.question import of_box, of_class, of_region


class Corner(nn.Module):
    """Class 1 is a bright upper left quarter; the rest of the picture says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.soft = nn.Conv2d(3, 2, 4, stride=4, bias=False)
        self.act = nn.ReLU(inplace=True)
        with torch.no_grad():
            self.soft.weight[0] = 1 / 48
            self.soft.weight[1] = -1 / 48

    def forward(self, pictures):  # N×3×32×32
        maps = self.act(self.soft(pictures))  # N×2×8×8
        corner = maps[:, 0, :4, :4].mean((1, 2))
        return torch.stack([-8 * corner + 2, 8 * corner - 2], 1).softmax(1)


def asked_of(net, size=(32, 32), habits=None):
    config = SimpleNamespace(
        size=size, normalisation=PLAIN, habits=habits or {}, classes=("mug", "can")
    )
    return ExplainedNet(net.eval(), config, torch.device("cpu"), whole=True)


@pytest.fixture
def bright():
    torch.manual_seed(1)
    return 0.6 + 0.4 * torch.rand(1, 3, 32, 32)


WHY = of_class("corner", 1)


def by_method(found):
    return {each.method: each for each in found}


def test_maps_are_what_their_equations_give(bright):
    net = Corner()
    found = by_method(heat_maps(asked_of(net), bright, WHY))
    maps = net.soft(bright).double().relu()
    maps.retain_grad()
    corner = maps[:, 0, :4, :4].mean((1, 2))
    torch.stack([-8 * corner + 2, 8 * corner - 2], 1).log_softmax(1)[0, 1].backward()
    weights = maps.grad.mean((2, 3))[0]
    by_hand = {
        GRAD_CAM: weights[:, None, None] * maps[0],
        LAYER_CAM: maps.grad[0].relu() * maps[0],
        HIRES_CAM: maps.grad[0] * maps[0],
    }
    assert set(found) == set(by_hand)
    for method, values in by_hand.items():
        assert found[method].layer == "act"
        heat = values.sum(0).relu().detach().numpy()
        np.testing.assert_allclose(found[method].heat, heat, rtol=1e-4, atol=1e-9)


def test_layer_cam_shows_the_place_and_nothing_else(bright):
    place = of_region("corner", torch.ones(32, 32, dtype=torch.bool))
    local = of_class("corner", 1)
    asked = type(place)("corner", 1, None, local.scores, local=True)
    maps = by_method(heat_maps(asked_of(Corner()), bright, asked))
    assert set(maps) == {LAYER_CAM, HIRES_CAM}
    found = maps[LAYER_CAM]
    assert (found.heat[:4, :4] > 0).all()
    assert not found.heat[4:].any()
    assert not found.heat[:, 4:].any()


def test_occlusion_finds_the_corner(bright):
    found = occlusion(asked_of(Corner()), bright * 0.5, WHY)
    rows, columns = np.nonzero(hottest(found.at_size(), WHY))
    assert rows.max() < 20
    assert columns.max() < 20


def test_a_saturated_answer_still_has_reasons():
    class Sure(Corner):
        def forward(self, pictures):
            maps = self.act(self.soft(pictures))
            logit = 30 * maps[:, 0, :4, :4].mean((1, 2))
            return torch.stack([-logit, logit], 1).softmax(1)

    found = heat_maps(asked_of(Sure()), torch.ones(1, 3, 32, 32), WHY)
    assert found
    assert all(each.heat.max() > 0 for each in found)


def test_a_net_without_maps_has_none(bright):
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2), nn.Softmax(1))
    assert heat_maps(asked_of(flat), bright, WHY) == []
    assert best_map(asked_of(flat), bright, WHY, []) is None
    assert layers(asked_of(flat), bright) == []


def test_a_good_map_passes_and_a_wrong_one_fails(bright):
    asked = asked_of(Corner())
    good = HeatMap("act", LAYER_CAM, np.pad(np.ones((4, 4)), (0, 4)), (32, 32))
    wrong = HeatMap("act", LAYER_CAM, np.pad(np.ones((4, 4)), (4, 0)), (32, 32))
    # Dark but for the corner, so that a soft copy of the picture is darker there.
    picture = bright * torch.from_numpy(good.at_size() > 0.99).float()
    assert deletion(asked, picture, WHY, good).passed
    assert not deletion(asked, picture, WHY, wrong).passed
    assert best_map(asked, picture, WHY, [wrong, good]) is good
    kept, failed = (deletion(asked, picture, WHY, each) for each in (good, wrong))
    assert [
        Reason(WHY, Standing(0.9), of, trial, likeness, ()).worth
        for of, trial, likeness in [(good, kept, 0.1), (wrong, failed, 0.1), (good, kept, 0.9)]
    ] == ["good", "bad", "bad"]
    half = Reason(WHY, Standing(0.9), good, kept, None, ())
    assert half.worth == "untested"
    assert "half tested" in half.verdict
    assert "half" not in Reason(WHY, Standing(0.9), good, kept, 0.1, ()).verdict


def test_a_net_that_knows_nothing_has_no_map_that_passes(bright):
    """Its scores hardly depend on the picture, and chance alone puts some map's fall first."""

    class Ignorant(Corner):
        def forward(self, pictures):
            maps = self.act(self.soft(pictures))
            logit = 0.01 * maps[:, 0, :4, :4].mean((1, 2))
            return torch.stack([-logit, logit], 1).softmax(1)

    asked = asked_of(Ignorant())
    found, *_ = heat_maps(asked, bright, WHY)
    trial = deletion(asked, bright, WHY, found)
    assert not trial.tells
    assert not trial.passed
    assert trial.as_json()["passed"] is None
    reason = Reason(WHY, Standing(trial.base), found, trial, 0.0, ())
    assert reason.worth == "untested"
    assert reason.verdict.startswith("this net knows too little for a map to be tested: covering")
    told = summary_of([Reasons("a.png", np.zeros((32, 32, 3), np.uint8), (reason,), 1)])
    assert (told.tested, told.untold, told.passed) == (0, 1, 0)
    assert "knows too little" in told.lines()[0]


def test_the_hottest_tenth_is_a_tenth_or_what_is_warm():
    heat = np.arange(400.0).reshape(20, 20)
    assert hottest(heat, WHY).sum() == 40
    assert heat[hottest(heat, WHY)].min() == 360
    few = np.zeros((20, 20))
    few[3, 4] = 1
    assert hottest(few, WHY).sum() == 1


def test_a_map_of_the_picture_alone_is_found_out(bright):
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 2),
        nn.Softmax(1),
    )
    asked = asked_of(net)
    map_of = by_method(heats_of(asked, bright, WHY, "1"))[GRAD_CAM]
    same = alikeness(map_of, map_of)
    assert same == pytest.approx(1)
    other = same_kind(asked.scrambled(), bright, WHY, map_of)
    likeness = None if other is None else alikeness(map_of, other)
    assert likeness is None or likeness < 1
    before = [parameter.clone() for parameter in net.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_a_box_is_asked_about_where_it_is():
    boxes = torch.tensor([[[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]]])
    scores = torch.tensor([[[0.1, 0.6], [0.2, 0.7], [0.3, 0.9]]])
    asked = of_box("mug", 1, (0.0, 0.0, 10.0, 10.0))
    assert asked.scores((boxes, scores)).item() == pytest.approx(0.7)
    moved = asked.moved(np.array([[1, 0, 20], [0, 1, 20], [0, 0, 1]], float))
    assert moved.scores((boxes, scores)).item() == pytest.approx(0.9)
    gone = of_box("mug", 1, (50.0, 50.0, 60.0, 60.0))
    assert gone.scores((boxes, scores)).item() == 0


def test_a_region_is_the_mean_of_the_map_over_it():
    region = torch.zeros(4, 4, dtype=torch.bool)
    region[0, :2] = True
    maps = torch.zeros(1, 4, 4)
    maps[0, 0, 0] = 1
    assert of_region("subject", region).scores(maps).item() == 0.5


def test_what_changes_an_answer_is_told_the_worst_first(bright):
    asked, soft = asked_of(Corner()), blurred(bright)
    heat = occlusion(asked, bright, WHY, soft=soft)
    tested = deletion(asked, bright, WHY, heat, soft=soft)
    found = changes(asked, bright, WHY, heat, tested, soft=soft)
    base, *scores = [change.score for change in found]
    assert found[0].what == AS_IT_IS
    assert base == pytest.approx(standing_of(asked_of(Corner()), bright, WHY).own)
    assert scores == sorted(scores)
    named = {change.what: change.score for change in found}
    assert named["half as bright"] < named["half again as bright"]
    assert "mirrored" in named


def test_inside_are_maps_and_filters(bright):
    net = Corner()
    (stage,) = stages(asked_of(net), bright)
    assert (stage.layer, stage.channels, stage.size) == ("act", 2, (8, 8))
    assert [number for number, _ in stage.shown] == [0, 1]
    assert len(filters(net)) == 2
    assert filters(nn.Linear(2, 2)) == []


class OneCorner(nn.Module):
    """One box, whose score is how bright its upper left corner is, and no other place."""

    def forward(self, pictures):  # N×3×64×64
        corner = pictures[:, :, 16:22, 16:22].mean((1, 2, 3))
        boxes = torch.tensor([[16.0, 16, 48, 48]]).expand(len(pictures), 1, 4)
        return boxes, torch.stack([corner, 1 - corner], 1)[:, None]


def test_a_map_of_a_box_must_know_more_than_where_the_box_lies():
    asked, about = asked_of(OneCorner(), (64, 64)), of_box("mug 90%", 0, (16.0, 16.0, 48.0, 48.0))
    picture = torch.zeros(1, 3, 64, 64)
    picture[:, :, 16:22, 16:22] = 0.9
    y, x = np.mgrid[:64, :64]

    def trial(heat):
        return deletion(asked, picture, about, HeatMap("1", LAYER_CAM, heat, (64, 64)))

    on_the_box = np.exp(-((x - 32) ** 2 + (y - 32) ** 2) / 16**2)
    on_its_corner = np.exp(-((x - 19) ** 2 + (y - 19) ** 2) / 6**2)
    assert not trial(on_the_box).passed
    assert trial(on_its_corner).passed
    assert hottest(on_the_box, about).sum() == round(0.1 * 49 * 49)


def test_passing_is_to_beat_nearly_all_random_covers():
    assert Deletion(0.9, 0.5, 0.6, beaten=19).passed
    assert not Deletion(0.9, 0.5, 0.6, beaten=18).passed


def test_a_sure_score_that_hardly_falls_proves_nothing():
    """A fall by a quarter of a point is none, whoever it beats; and a map that fails has failed."""
    hardly = Deletion(0.888, 0.8845, 0.8881, 20)
    assert (hardly.tells, hardly.passed) == (False, False)
    assert hardly.as_json()["passed"] is None
    assert Deletion(0.9999, 0.995, 0.9999, 20).passed
    assert not Deletion(1.0, 1.0, 1.0, 20).tells
    failed = Deletion(0.95, 0.95, 0.949, 3)
    assert (failed.tells, failed.passed) == (True, False)
    layer = HeatMap("act", GRAD_CAM, np.ones((4, 4)), (32, 32))
    reason = Reason(WHY, Standing(0.888), layer, hardly, 0.0, ())
    assert reason.verdict.startswith("this map cannot be tested: covering")
    passed = Reason(WHY, Standing(0.9), layer, Deletion(0.9, 0.5, 0.89, 20), 0.0, ())
    told = summary_of([Reasons("a.png", np.zeros((8, 8, 3), np.uint8), (reason, passed), 2)])
    assert "1 map cannot be tested, as its score hardly depends on any" in told.lines()[2]


def test_a_net_that_knows_nothing_is_found_out_by_how_far_its_scores_move(bright):
    """Scores of random weights depend on the picture too, and no further when shuffled."""
    asked = asked_of(Corner())
    found = by_method(heats_of(asked, bright, WHY, "act"))[GRAD_CAM]
    trial = deletion(asked, bright, WHY, found)
    assert moves_as_far(asked, bright, WHY, found, trial)

    class Deaf(Corner):
        def forward(self, pictures):
            return 0 * super().forward(pictures) + 0.5

    assert not moves_as_far(asked_of(Deaf()), bright, WHY, found, trial)
    random = Deletion(0.73, 0.68, 0.729, 20)
    reason = Reason(WHY, Standing(0.73), found, random, 0.0, (), as_far=True)
    assert reason.worth == "bad"
    assert "a net that knows nothing move nearly as far" in reason.verdict
    assert reason.as_json(("mug", "can"))["moves_as_scrambled"] is True
    told = summary_of([Reasons("a.png", np.zeros((32, 32, 3), np.uint8), (reason,), 1)])
    assert told.alike == 1


def test_a_box_that_reaches_beyond_the_picture_ends_at_its_edge():
    beyond = placed((-20.0, -10.0, 60.0, 250.0), (100, 200))
    assert beyond == "left: 0.00%; top: 0.00%; width: 60.00%; height: 100.00%;"


def test_maps_by_occlusion_are_counted_apart():
    """A card with one says that the network's own map failed."""
    good, bad = Deletion(0.9, 0.253, 0.869, 20), Deletion(0.9, 0.5, 0.6, 11)
    layer = HeatMap("act", GRAD_CAM, np.ones((4, 4)), (32, 32))
    windows = HeatMap("windows of 5 pixels", "occlusion", np.ones((32, 32)), (32, 32))
    own = Reason(WHY, Standing(0.9), layer, good, 0.7, ())
    instead = Reason(WHY, Standing(0.9), windows, good, None, (), failed=bad)
    assert "the network's own map failed" in instead.says
    assert "only 11 of 20" in instead.says
    assert instead.as_json(("mug", "can"))["own_map"] == bad.as_json()
    untold = replace(instead, failed=Deletion(0.01, 0.0099, 0.0098, 3))
    assert "the network's own map could not be tested" in untold.says
    told = summary_of([Reasons("a.png", np.zeros((32, 32, 3), np.uint8), (own, instead), 2)])
    first, fall, alike = told.lines()
    assert "1 of 2 of the network's own maps passed the deletion test, but 1 would be" in first
    assert "nothing been learnt; 1 shown instead by occlusion" in first
    assert "by 64.7 points" in fall
    assert alike.startswith("1 of 1 map that could be compared")


def test_a_score_of_the_second_opinion_is_told_from_the_networks_own():
    picture = torch.full((1, 3, 64, 64), 0.369)
    about = of_box("mug 99%", 0, (16.0, 16.0, 48.0, 48.0), 0.99)
    told = standing_of(asked_of(OneCorner(), (64, 64), {OPINION: object()}), picture, about)
    assert told.says.startswith("as it is: 36.9%, the network's own score")
    assert "99% shown comes with the second opinion, the network itself says can 63%" in told.says
    assert told.as_json() == {"shown": 0.99, "own": 0.369, "own_class": "can"}
    alone = standing_of(asked_of(OneCorner(), (64, 64)), picture, of_box("mug", 0, about.box, 0.37))
    assert alone.says == "as it is: 36.9%"


def test_a_class_that_is_not_among_what_is_found_is_told():
    picture = np.zeros((32, 32, 3), np.uint8)
    assert Reasons("a.png", picture, (), 0).nothing.startswith("nothing is found here")
    assert Reasons("a.png", picture, (), 3).nothing.startswith("3 answers found here, none of")


def test_a_layer_that_an_answer_does_not_come_through_is_told():
    nothing = Reason(WHY, Standing(0.5, 0.5), None, None, None, (), asked_layer="aside")
    assert nothing.verdict == "nothing of this answer comes through aside: name another layer"
