"""A compiled training learns what a plain one does, and its run is like any other."""

from functools import partialmethod

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from viewfinder.cli.main import main
from viewfinder.errors import InputError
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.training import compiling
from viewfinder.training.train import train

PLAIN = {"net": "lenet", "epochs": 2, "batch": 9, "precision": "32", "keep": "memory"}


@pytest.fixture
def traced(monkeypatch):
    """Passes are traced and differentiated as for compiling, and no code is made of them, which
    takes minutes; how often."""
    calls = []

    def backend(graph, inputs):
        calls.append(len(inputs))
        return graph.forward

    monkeypatch.setattr(nn.Module, "compile", partialmethod(nn.Module.compile, backend=backend))
    torch._dynamo.reset()
    yield calls
    torch._dynamo.reset()


def test_a_compiled_training_ends_in_the_same_weights(small_set, tmp_path, traced, capsys):
    plain = train("classify", small_set, ClassifyRecipe(**PLAIN), out=tmp_path / "plain")
    assert not traced
    recipe = ClassifyRecipe(**PLAIN, compile=True)
    compiled = train("classify", small_set, recipe, out=tmp_path / "compiled")
    assert traced
    assert "the first steps compile the network" in capsys.readouterr().err
    ours, theirs = (load_file(run.weights_file) for run in (compiled, plain))
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        torch.testing.assert_close(weight, theirs[name], rtol=1e-4, atol=1e-6)


def test_without_a_compiler_it_is_refused(small_set, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CXX", "no-such-compiler")
    words = ["train", "classify", str(small_set), "--net", "lenet", "--epochs", "1", "--compile"]
    assert main([*words, "--out", str(tmp_path / "run")]) == 2
    assert (
        "--compile needs a C++ compiler, and there is no no-such-compiler"
        in capsys.readouterr().err
    )


def test_what_takes_no_steps_is_not_compiled():
    assert ClassifyRecipe(compile=True).in_steps
    with pytest.raises(InputError, match="--compile is of trainings in steps"):
        ClassifyRecipe(compile=True, head="auto")


def test_a_net_that_is_compiled_keeps_the_names_of_its_weights(traced):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    names = list(net.state_dict())
    compiling.compile_passes(net)
    net(torch.zeros(1, 3, 8, 8))
    assert traced
    assert list(net.state_dict()) == names
