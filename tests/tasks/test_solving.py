"""Which nets' last layers are solved, and what becomes of the others."""

import pytest
import torch
from torch import nn

from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.task import Classify
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.normalisation import PLAIN
from viewfinder.tasks.parts import TrainSetup

CPU = torch.device("cpu")


def test_a_net_that_does_not_end_in_a_linear_layer_learns_in_steps_alone(small_set):
    task, recipe = Classify(), ClassifyRecipe(init="imagenet", head="full", epochs=1)
    assert recipe.tunes
    dataset = open_dataset(small_set)
    config = ModelConfig("classify", recipe.net, dataset.classes, (16, 16), PLAIN)
    setup = TrainSetup(recipe, config)
    examples = task.open_train(dataset.split("train"), setup)
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    task.begin(net, examples, setup, CPU)
    assert all(map(torch.equal, before.values(), net.state_dict().values()))
    with pytest.raises(InputError, match="let all of its layers learn, by --head full"):
        task.solve(net, examples, setup, CPU)
