"""Sequences of sequences, as letters of words: a recurrent layer reads each on its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from viewfinder.explain.calls import tensors_in
from viewfinder.explain.edits import Edit
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.passed import Args
from viewfinder.explain.recording import Recorder


@dataclass(frozen=True)
class Folded(Edit):
    """The two first dimensions joined before the layer at `path`, and parted in what it gives."""

    path: str

    def watch(self, net: nn.Module, recorder: Recorder) -> None:
        lead: list[torch.Size] = []

        def join(
            module: nn.Module, args: Args, kwargs: dict[str, Any]
        ) -> tuple[Args, dict[str, Any]]:
            given = args[0]
            lead.append(given.shape[:2])
            with torch._C.DisableTorchFunction():
                joined = given.flatten(0, 1)
            recorder.follow(joined, given)
            return (joined, *args[1:]), kwargs

        def part(module: nn.Module, args: object, output: tuple[Tensor, object]) -> object:
            sizes = lead.pop()
            answers, state = output
            with torch._C.DisableTorchFunction():
                parts = [one.reshape(len(one), *sizes, -1) for one in tensors_in(state)]
                new = answers.reshape(*sizes, *answers.shape[1:])
            recorder.follow((new, parts), output)
            return new, tuple(parts) if isinstance(state, tuple) else parts[0]

        layer = net.get_submodule(self.path)
        layer.register_forward_pre_hook(join, with_kwargs=True, prepend=True)
        layer.register_forward_hook(part)


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At a recurrent layer with the batch first, given batch × places × steps × features."""
    layer, given = scene.case.module, scene.given
    if not isinstance(layer, nn.RNNBase) or not layer.batch_first or len(given) != 1:
        return
    if not scene.lab.inputs.batch or given[0].dim() != 4 or given[0].shape[3] != layer.input_size:
        return
    if scene.given_names()[-1:] in (("height",), ("width",)):
        return
    before = scene.before(ops.flatten(0, 1), 0.0).says
    state = "h and c" if isinstance(layer, nn.LSTM) else "the state"
    says = (
        f"{before}, and parted again behind it, .unflatten(1, …) of {state} and .unflatten(0, …) "
        "of its answers, with the two sizes that were joined: each sequence is read on its own"
    )
    yield Candidate((Folded(scene.path),), says, 0.0)
