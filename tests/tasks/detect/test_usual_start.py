"""What nobody asked for follows from the net that somebody did, and gives way to what is asked."""

from dataclasses import replace

import pytest

from viewfinder.tasks.detect.recipe import DetectRecipe


@pytest.mark.parametrize(
    ("fields", "init"),
    [
        ({}, "coco"),
        ({"net": "yolov3-lite0"}, "imagenet"),
        ({"net": "yolov3-lite0", "init": "random"}, "random"),
        ({"net": "yolov3"}, "random"),
        ({"options": ("width=0.5",)}, "random"),
    ],
)
def test_the_start_follows_from_the_net(fields, init):
    recipe = DetectRecipe(**fields)
    assert recipe.init == init
    assert DetectRecipe.from_json(recipe.as_json()) == recipe


def test_a_copy_with_another_net_starts_as_that_does():
    recipe = replace(DetectRecipe(), net="yolov3-lite0")
    assert recipe.init == "imagenet"
    assert replace(recipe, net="yolov3-tiny") == DetectRecipe()
