"""Fixes of what the net is given: type, device, layout and batch."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import nn

from viewfinder.explain.edits import Converted, InsertedCall, Mode
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Types and devices of the operands; the batch and the order of the input's dimensions."""
    yield from _types(scene)
    yield from _devices(scene)
    yield from _batchless(scene)
    yield from _order(scene)


def _types(scene: Scene) -> Iterator[Candidate]:
    call = scene.call
    layer = scene.layer
    if call is None and layer is not None and scene.given:
        # A recurrent layer refuses whole numbers before it calls anything.
        held = {p.dtype for p in layer.parameters()}
        if len(held) == 1 and scene.given[0].dtype not in held:
            yield scene.before(ops.to_type(held.pop()), 0.1)
    if call is None:
        return
    kinds = [tensor.dtype for tensor in call.tensors]
    weights = [tensor.dtype for tensor in call.tensors if isinstance(tensor, nn.Parameter)]
    index = call.base in ("embedding", "embedding_bag", "one_hot")
    if index and kinds and kinds[0] not in (torch.int32, torch.int64):
        yield from scene.operate(0, ops.to_type(torch.int64), 0.2)
    if call.base in ("masked_fill", "where") and kinds and torch.bool not in kinds:
        # What is to be chosen is said by yes and no.
        yield from scene.operate(int(call.base == "masked_fill"), ops.method("bool"), 0.0)
    if len(set(kinds)) < 2 and not (kinds and not kinds[0].is_floating_point):
        return
    wanted = weights[0] if weights else next((k for k in kinds if k == torch.float32), None)
    if wanted is None and kinds:
        wanted = next((k for k in kinds if k.is_floating_point), torch.float32)
    for position, kind in enumerate(kinds):
        if wanted is None or kind == wanted or isinstance(call.tensors[position], nn.Parameter):
            continue
        if kind == torch.uint8 and wanted == torch.float32:
            scaled = InsertedCall("{}.float() / 255", lambda x: x.float() / 255)
            yield from _and_turned(scene, position, scaled, 0.0)
        elif kind.is_complex:
            yield from _and_turned(scene, position, ops.method("abs"), 0.1)
            for one in scene.operate(position, ops.to_type(wanted), 0.4):
                yield replace(one, means="it drops the imaginary parts")
            continue
        yield from _and_turned(scene, position, ops.to_type(wanted), 0.1)
    if weights and wanted in (torch.float16, torch.bfloat16, torch.float64):
        yield Candidate((Converted(torch.float32),), "net.float()", 0.3)


def _and_turned(
    scene: Scene, position: int, operation: InsertedCall, cost: float
) -> Iterator[Candidate]:
    """An operation, and with it a usual change of shape, where a layer lacks both."""
    yield from scene.operate(position, operation, cost)
    if not scene.case.in_layer or not scene.lab.inputs.batch:
        return
    rank = scene.given[0].dim() if scene.given else 0
    turns = {3: [ops.unsqueeze(1), ops.transpose(1, 2)], 4: [ops.channels_first(4)]}
    for turn in (*turns.get(rank, ()), ops.flatten(1)):
        yield from scene.operate(position, ops.then(operation, turn), cost + 0.3)


def _devices(scene: Scene) -> Iterator[Candidate]:
    call = scene.call
    tensors = call.tensors if call else ()
    places = list(dict.fromkeys(tensor.device for tensor in tensors if tensor.dim()))
    if len(places) < 2:
        return
    weights = [tensor.device for tensor in tensors if isinstance(tensor, nn.Parameter)]
    wanted = weights[0] if weights else places[0]
    for position, tensor in enumerate(tensors):
        if tensor.device != wanted and not isinstance(tensor, nn.Parameter):
            yield from scene.operate(position, ops.to_device(wanted), 0.0)


def _batchless(scene: Scene) -> Iterator[Candidate]:
    """An input without a batch, or a batch of one picture that training cannot normalise."""
    inputs = scene.lab.inputs
    if not inputs.batch and inputs.given and hasattr(inputs.given[0], "shape"):
        yield scene.first(ops.unsqueeze(0), 0.0)
        if len(inputs.given[0].shape) == 2:
            both = InsertedCall("{}[None, None]", lambda x: x[None, None])
            yield scene.first(both, 0.1)
    call = scene.call
    if call is not None and call.base in ("batch_norm", "instance_norm") and scene.net.training:
        several = InsertedCall("torch.cat([{0}, {0}])", lambda x: torch.cat([x, x]))
        more = scene.first(several, 0.0)
        says = "a batch of 2 or more (in a data loader: drop_last=True)"
        yield Candidate(more.edits, says, 0.0)
        yield Candidate((Mode(False),), "net.eval(), if this is not training", 0.1)


def _order(scene: Scene) -> Iterator[Candidate]:
    """A picture with its channels last, a sequence with its features first."""
    lead = 1 if scene.lab.inputs.batch else 0
    for position, sample in enumerate(scene.lab.inputs.given):
        shape = getattr(sample, "shape", None)
        if shape is None or position or len(shape) - lead not in (3, 4):
            continue
        spatial = len(shape) - lead - 1
        wanted = _first_channels(scene, spatial)
        if wanted and shape[-1] == wanted and shape[lead] != wanted:
            order = (*range(lead), len(shape) - 1, *range(lead, len(shape) - 1))
            yield scene.first(ops.permute(*order), 0.0, position)


def _first_channels(scene: Scene, spatial: int) -> int:
    """The channels that the first convolution of the net over pictures, or volumes, asks for."""
    kind = nn.Conv2d if spatial == 2 else nn.Conv3d
    first = next((m for m in scene.net.modules() if isinstance(m, kind)), None)
    return first.in_channels if first is not None else 0
