"""An explanation asked for in words: a net by its name, shapes as texts, and perhaps a loss."""

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from viewfinder.errors import InputError
from viewfinder.explain.building import explain_building
from viewfinder.explain.explaining import explain
from viewfinder.explain.explanation import Explanation, Shape
from viewfinder.explain.scoring import Scored, find_loss, usual_target
from viewfinder.explain.shortcuts import Shortcuts
from viewfinder.explain.targets import (
    CannotBuild,
    find_net,
    parse_input,
    usual_input,
)
from viewfinder.explain.traces import Sample
from viewfinder.explain.tracing import trace


def explain_target(
    target: str,
    inputs: Sequence[str] = (),
    *,
    batch: int = 1,
    training: bool = False,
    real: bool = False,
    loss: str | None = None,
    target_shape: str | None = None,
) -> Explanation:
    """Explain a net, run once on inputs of these shapes.

    Args:
        target: a net by name, or `file.py:Class` or `module:Class`, whose code is run.
        inputs: each a shape without its batch, such as `3x224x224`; the net's own if none.
        batch: how many at once; 0 leaves the batch dimension out.
        training: trace as in training.
        real: run on random numbers.
        loss: a loss to put behind the net, by its name.
        target_shape: that of the loss's target; as the loss wants it if None.

    Raises:
        InputError: no such net, shape or loss.
    """
    if batch < 0:
        raise InputError(f"--batch {batch}: give 1 or more, or 0 for no batch dimension")
    samples = [parse_input(text, batch) for text in inputs]
    try:
        net, size = find_net(target)
    except CannotBuild as refused:
        explanation = _unbuilt(refused, target, tuple(samples), batch)
        if explanation is None:
            raise
        return explanation
    if len(samples) == 1:
        _refuse_lacking(net, inputs[0], samples[0], batched=batch > 0)
    if not samples:
        samples = [usual_input(net, size, batch)]
    net.train(training)
    if loss is not None:
        find_loss(loss)
        wanted = parse_input(target_shape, batch) if target_shape else None
        samples.append(wanted or usual_target(net, samples, loss))
        net = Scored(net, loss).train(training)
    return explain(net, *samples, name=target, real=real, batched=batch > 0)


def _refuse_lacking(net: nn.Module, text: str, sample: Sample, *, batched: bool) -> None:
    """Refuse a picture's shape that lacks a side, or its channels, with which the net would run.

    Fixes of the net, which is right, are not what is wanted then.

    Raises:
        InputError: it lacks one.
    """
    first = next((layer for layer in net.modules() if isinstance(layer, nn.Conv2d)), None)
    own = sample.shape[1:] if batched else sample.shape
    if first is None or not 1 <= len(own) <= 2:
        return
    channels = first.in_channels
    lacks, whole = "its channels", (channels, *own)
    if len(own) == 1:
        lacks, whole = "its channels and a side", (channels, own[0], own[0])
    elif own[0] == channels:
        lacks, whole = "a side", (channels, own[1], own[1])

    def runs(shape: Shape) -> bool:
        sizes = (sample.shape[0], *shape) if batched else shape
        tried = trace(net, (replace(sample, shape=sizes),), real=False, shortcuts=Shortcuts())
        return tried.failure is None

    if not runs(own) and runs(whole):
        meant = "x".join(map(str, whole))
        raise InputError(f"--input {text} lacks {lacks}: did you mean {meant}?")


def _unbuilt(
    refused: CannotBuild, target: str, samples: tuple[Sample, ...], batch: int
) -> Explanation | None:
    """Why a net cannot be built, where a layer of torch refuses its arguments."""

    def given(net: nn.Module) -> tuple[Sample, ...]:
        return samples or (usual_input(net, None, batch),)

    return explain_building(refused.error, refused.build, given, target)
