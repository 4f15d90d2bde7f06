"""A compiled training learns what a plain one does, and its run is like any other."""

import sys
from functools import partialmethod

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from viewfinder.cli.main import main
from viewfinder.errors import InputError
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.training import loop
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
    monkeypatch.setenv("CXX", sys.executable)  # whatever can be run: nothing is compiled by it
    torch._dynamo.reset()
    yield calls
    torch._dynamo.reset()


@pytest.fixture
def clock(monkeypatch):
    """What the trials of a step take, in turn."""
    real = loop.seconds_of_step

    def given(seconds):
        left = list(seconds)

        def timed(*args, **named):
            real(*args, **named)
            return left.pop(0)

        monkeypatch.setattr(loop, "seconds_of_step", timed)

    return given


def test_a_compiled_training_ends_in_the_same_weights(small_set, tmp_path, traced, capsys, clock):
    plain = train("classify", small_set, ClassifyRecipe(**PLAIN), out=tmp_path / "plain")
    assert not traced
    clock([2.0, 1.0])
    recipe = ClassifyRecipe(**PLAIN, compile=True)
    compiled = train("classify", small_set, recipe, out=tmp_path / "compiled")
    assert traced
    said = capsys.readouterr().err
    assert "a step takes 1,000 ms compiled, 2,000 as it is written; compiling took" in said
    ours, theirs = (load_file(run.weights_file) for run in (compiled, plain))
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        torch.testing.assert_close(weight, theirs[name], rtol=1e-4, atol=1e-6)


def test_what_is_no_quicker_compiled_is_not(small_set, tmp_path, traced, capsys, clock):
    clock([1.0, 1.5])
    recipe = ClassifyRecipe(**PLAIN, compile=True)
    train("classify", small_set, recipe, out=tmp_path / "run")
    assert len(traced) == 1  # for the trial alone
    assert (
        "1,500 ms compiled, 1,000 as it is written: it is trained as it" in capsys.readouterr().err
    )


def test_what_cannot_be_compiled_is_trained_as_it_is_written(
    small_set, tmp_path, monkeypatch, capsys
):
    def fails(graph, inputs):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(nn.Module, "compile", partialmethod(nn.Module.compile, backend=fails))
    monkeypatch.setenv("CXX", sys.executable)
    torch._dynamo.reset()
    recipe = ClassifyRecipe(**PLAIN, compile=True)
    run = train("classify", small_set, recipe, out=tmp_path / "run")
    assert run.weights_file.is_file()
    said = capsys.readouterr().err
    assert "this network cannot be compiled here" in said
    assert "no such kernel" in said


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
