"""What nobody asked for follows from the net that somebody did, and gives way to what is asked."""

from dataclasses import replace

import pytest

from viewfinder.tasks.detect.recipe import DetectRecipe


@pytest.mark.parametrize(
    ("fields", "init", "rate"),
    [
        ({}, "coco", 0.003),
        ({"net": "yolov3-lite0"}, "imagenet", 0.001),
        ({"net": "yolov3-lite0", "init": "random"}, "random", 0.003),
        ({"net": "yolov3-lite0", "learning_rate": 0.003}, "imagenet", 0.003),
        ({"net": "yolov3"}, "random", 0.003),
        ({"options": ("width=0.5",)}, "random", 0.003),
    ],
)
def test_the_start_follows_from_the_net(fields, init, rate):
    recipe = DetectRecipe(**fields)
    assert (recipe.init, recipe.learning_rate) == (init, rate)
    assert DetectRecipe.from_json(recipe.as_json()) == recipe


def test_a_copy_with_another_net_starts_as_that_does():
    recipe = replace(DetectRecipe(), net="yolov3-lite0")
    assert (recipe.init, recipe.learning_rate) == ("imagenet", 0.001)
    assert replace(recipe, net="yolov3-tiny") == DetectRecipe()
