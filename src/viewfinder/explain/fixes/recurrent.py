"""Fixes at recurrent layers: features, the state's layout, dimensions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import prod

import torch
from torch import Tensor, nn

from viewfinder.explain.calls import Call, tensors_in
from viewfinder.explain.diagnosis.case import path_as_code
from viewfinder.explain.edits import Around, InsertedCall
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.carried import is_carried
from viewfinder.explain.fixes.scene import Scene


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At LSTM, GRU, RNN and their cells."""
    layer = scene.case.module
    if scene.call is not None and scene.call.base == "_pack_padded_sequence":
        # A sequence with the batch first, where packing wants its steps first.
        yield from scene.operate(0, ops.transpose(0, 1), 0.1)
    if scene.call is not None and not scene.case.in_layer:
        yield from _parted(scene)
    if isinstance(scene.layer, nn.Linear):
        yield from _last_of_both(scene, scene.layer)
    if not scene.given or not isinstance(layer, nn.RNNBase | nn.RNNCellBase):
        return
    given = scene.given[0]
    lead = 1 if scene.lab.inputs.batch else 0
    wanted = layer.input_size
    if given.dim() and given.shape[-1] != wanted:
        for dim in range(lead, given.dim() - 1):
            if given.shape[dim] == wanted:
                yield scene.before(ops.transpose(dim, -1), 0.1, only_here=True)
        yield from scene.replace(scene.path, 0.3, input_size=int(given.shape[-1]))
    if given.dim() == 4 and lead:
        yield from _maps(scene, layer, given)
    if given.dim() == 2 and lead and isinstance(layer, nn.RNNBase):
        yield from _steps_kept(scene, wanted)
        if given.shape[-1] == wanted:
            yield from _one_step(scene, layer)
            yield scene.before(ops.unsqueeze(1), 0.6)
            if not layer.batch_first:
                # One step of every item, where steps come first.
                yield scene.before(ops.unsqueeze(0), 0.3)
        elif wanted == 1:
            yield scene.before(ops.unsqueeze(-1), 0.1)
    if given.dim() == 3 and isinstance(layer, nn.RNNCellBase):
        last = scene.before(ops.last_of(1), 0.6)
        yield replace(last, means="of all steps the last alone is read")
    yield from _state(scene, layer, given)


def _parted(scene: Scene) -> Iterator[Candidate]:
    """Frames that were joined with the batch, and read as one sequence: parted again before it."""
    calls = scene.case.failure.trace.calls
    for call in calls:
        # A recurrent layer gives a sequence without a batch one of 1.
        alone = call.base == "unsqueeze" and bool(call.module) and len(call.input_shapes[0]) == 2
        if not alone or not isinstance(scene.net.get_submodule(call.module), nn.RNNBase):
            continue
        for joined in calls:
            one, two = joined.input_shapes[:1], joined.output_shapes[:1]
            whole = bool(one and two) and one[0][2:] == two[0][1:] and len(one[0]) > 3
            if not whole or one[0][0] * one[0][1] != call.input_shapes[0][0] != one[0][0]:
                continue
            steps = one[0][1]
            path = path_as_code(call.module)
            yield Candidate(
                (Around(call.module, ops.unflatten(0, (-1, steps))),),
                f"x.unflatten(0, (-1, {steps})) before {path}: the frames of each clip again",
                0.0,
            )
            return


def _steps_kept(scene: Scene, wanted: int) -> Iterator[Candidate]:
    """What each step holds in a row, where the steps were put into one row too."""
    calls = scene.case.failure.trace.calls
    made = next((c for c in calls if any(out is scene.given[0] for out in c.outputs)), None)
    if made is None or made.base not in ("view", "reshape", "flatten") or made.module:
        return
    shape = made.input_shapes[0]
    if len(shape) > 3 and prod(shape[2:]) == wanted:
        yield from scene.instead(made, "{0}.flatten(2)", lambda t: t[0].flatten(2), 0.0)


def _last_of_both(scene: Scene, layer: nn.Linear) -> Iterator[Candidate]:
    """The last states of both directions, where one is taken and a layer is made for two."""
    made = scene.call.producers[0] if scene.call is not None and scene.call.producers else None
    if not isinstance(made, Call) or made.base != "getitem" or made.args[1] not in (-1, 0):
        return
    shape, state = made.input_shapes[0], made.tensors[0]
    if len(shape) == 3 and 2 * shape[-1] == layer.in_features and _comes_both_ways(scene, state):
        code = "torch.cat(({0}[-2], {0}[-1]), 1)"

        def run(t: Sequence[Tensor]) -> Tensor:
            return torch.cat((t[0][-2], t[0][-1]), 1)

        yield from scene.instead(made, code, run, 0.0)


def _one_step(scene: Scene, layer: nn.RNNBase) -> Iterator[Candidate]:
    """One step of every item with its state: a row of one step, and that step of the answers."""
    dim = 1 if layer.batch_first else 0
    frame = scene.case.failure.frame
    state = frame.args[1] if len(frame.args) > 1 else frame.kwargs.get("hx")
    if not any(part.dim() == 3 for part in tensors_in(state)):
        return
    step = InsertedCall(f"({{0}}[0].squeeze({dim}), {{0}}[1])", lambda x: (x[0].squeeze(dim), x[1]))
    edits = (Around(scene.path, ops.unsqueeze(dim)), Around(scene.path, step, "after"))
    before = scene.before(ops.unsqueeze(dim), 0.0).says
    says = f"{before}, and the same .squeeze({dim}) of what it gives: one step at a time"
    yield Candidate(edits, says, 0.25)


def _maps(scene: Scene, layer: nn.RNNBase | nn.RNNCellBase, given: Tensor) -> Iterator[Candidate]:
    """A map as a sequence: its rows and columns are steps, its channels features."""
    channels, height = map(int, given.shape[1:3])
    if channels == 1:
        yield scene.before(ops.squeeze(1), 0.2)
    steps = ops.then(ops.flatten(2), ops.transpose(1, 2))
    if channels == layer.input_size:
        yield scene.before(steps, 0.1)
    columns = ops.then(ops.permute(0, 3, 1, 2), ops.flatten(2))
    if channels * height == layer.input_size:
        yield scene.before(columns, 0.05)
    for fitted in scene.replace(scene.path, 0.4, input_size=channels):
        yield scene.before(steps, 0.4).and_(fitted)


def _state(scene: Scene, layer: nn.RNNBase | nn.RNNCellBase, given: Tensor) -> Iterator[Candidate]:
    frame = scene.case.failure.frame
    argument: int | str = 1 if len(frame.args) > 1 else "hx"
    state = frame.args[1] if len(frame.args) > 1 else frame.kwargs.get("hx")
    if state is None:
        return
    if isinstance(layer, nn.RNNBase) and given.dim() == 3:
        batch = int(given.shape[0 if layer.batch_first else 1])
        states = layer.num_layers * (2 if layer.bidirectional else 1)
        hidden = layer.proj_size or layer.hidden_size
        parts = list(tensors_in(state))
        if all(tuple(part.shape) == (batch, states, hidden) for part in parts):
            both = isinstance(state, tuple | list)
            turned = InsertedCall("{}.transpose(0, 1).contiguous()", _turned)
            if both:
                turned = _on_parts("{}.transpose(0, 1)", _turned)
            yield scene.before(turned, 0.0, argument=argument)
        yield from _directions(scene, state, (states, batch, hidden), argument)
        if states == 1 and all(tuple(part.shape) == (batch, hidden) for part in parts):
            one = ops.unsqueeze(0)
            if isinstance(state, tuple | list):
                one = _on_parts("{}.unsqueeze(0)", lambda h: h.unsqueeze(0))
            yield scene.before(one, 0.0, argument=argument)
        other = (states, int(given.shape[1 if layer.batch_first else 0]), hidden)
        if batch != other[1] and all(tuple(part.shape) == other for part in parts):
            # The state was made for a layer that reads its input the other way round.
            first = not layer.batch_first
            # Who wrote batch_first=True, and zeros for the steps, counted the wrong dimension.
            miscounted = layer.batch_first and not scene.ignored(state)
            cost = 0.3 if miscounted else 0.0
            yield from scene.replace(scene.path, cost, batch_first=first)
        dim = 0 if layer.batch_first else 1
        zeros = scene.before(
            _zeros(state, states, hidden, layer, dim, given), 0.1, argument=argument
        )
        yield replace(zeros, means=scene.ignored(state))
    if isinstance(layer, nn.LSTMCell) and isinstance(state, Tensor):
        # At the next step it is the pair that the cell gave.
        code = "{0} if isinstance({0}, tuple) else ({0}, torch.zeros_like({0}))"
        yield scene.before(InsertedCall(code, _paired), 0.05, argument=argument)
    if isinstance(layer, nn.LSTM) and isinstance(state, Tensor):
        pair = InsertedCall("({0}, torch.zeros_like({0}))", lambda h: (h, torch.zeros_like(h)))
        yield scene.before(pair, 0.05, argument=argument)
    if isinstance(layer, nn.GRU | nn.RNN | nn.GRUCell) and isinstance(state, tuple | list):
        yield scene.before(ops.item(0), 0.1, argument=argument)
    if not is_carried(scene, argument):
        yield scene.before(ops.LEFT_OUT, 0.6, argument=argument)


def _directions(
    scene: Scene, state: object, wanted: tuple[int, int, int], argument: int | str
) -> Iterator[Candidate]:
    """The state of a deeper layer, or of one that reads both ways."""
    states, batch, hidden = wanted
    shapes = {tuple(part.shape) for part in tensors_in(state)}
    both = any(_comes_both_ways(scene, part) for part in tensors_in(state))
    if both and shapes == {(2 * states, batch, hidden // 2)}:
        code = "{}.unflatten(0, (-1, 2)).transpose(1, 2).flatten(2)"
        yield scene.before(_on_each(state, code, _joined), 0.0, argument=argument)
    if all(shape[0] > states and shape[1:] == (batch, hidden) for shape in shapes):
        last = scene.before(_last_states(state, states), 0.05, argument=argument)
        both = both and shapes == {(2 * states, batch, hidden)}
        yield replace(last, means="the state of one direction is left out") if both else last
        if both:
            added = _on_each(state, "{}.unflatten(0, (-1, 2)).sum(1)", _added)
            yield scene.before(added, 0.0, argument=argument)


def _comes_both_ways(scene: Scene, state: Tensor) -> bool:
    """Whether a state is that of a recurrent layer of two directions."""
    for call in scene.case.failure.trace.calls:
        if any(out is state for out in call.outputs) and call.module:
            return bool(getattr(scene.net.get_submodule(call.module), "bidirectional", False))
    return False


def _paired(state: object) -> object:
    if isinstance(state, tuple):
        return state
    assert isinstance(state, Tensor)
    return state, torch.zeros_like(state)


def _on_each(state: object, code: str, run: Callable[[Tensor], Tensor]) -> InsertedCall:
    """The same of a state, or of h and of c."""
    return InsertedCall(code, run) if isinstance(state, Tensor) else _on_parts(code, run)


def _last_states(state: object, count: int) -> InsertedCall:
    return _on_each(state, f"{{}}[-{count}:]", lambda h: h[-count:].contiguous())


def _added(part: Tensor) -> Tensor:
    """Layers × batch × features of two directions, which stand in turns."""
    return _by_direction(part).sum(1)


def _joined(part: Tensor) -> Tensor:
    return _by_direction(part).transpose(1, 2).flatten(2)


def _by_direction(part: Tensor) -> Tensor:
    return part.reshape(-1, 2, *part.shape[1:])


def _turned(part: Tensor) -> Tensor:
    return part.transpose(0, 1).contiguous()


def _on_parts(code: str, run: Callable[[Tensor], Tensor]) -> InsertedCall:
    """The same for h and for c, where the state has both."""
    whole = f"tuple({code.replace('{}', 'h')}.contiguous() for h in ({{}}))"

    def both(state: object) -> object:
        if isinstance(state, tuple | list):
            return tuple(map(run, state))
        assert isinstance(state, Tensor)
        return run(state)

    return InsertedCall(whole, both)


def _zeros(
    state: object, states: int, hidden: int, layer: nn.Module, dim: int, given: Tensor
) -> InsertedCall:
    """Zeros of the layout that the layer wants, for whatever batch."""
    shape = f"{states}, {{1}}.size({dim}), {hidden}"
    pair = isinstance(layer, nn.LSTM)
    place = _batch_of(state, int(given.shape[dim]))

    def run(state: object, x: object = None) -> object:
        like = next(tensors_in(state))
        batch = like.shape[place] if place is not None else x.shape[dim]  # type: ignore[attr-defined]
        zeros = like.new_zeros(states, int(batch), hidden)
        return (zeros, zeros) if pair else zeros

    zeros = f"torch.zeros({shape})"
    return InsertedCall(f"({zeros}, {zeros})" if pair else zeros, run, other=0)


def _batch_of(state: object, batch: int) -> int | None:
    """Which dimension of a state holds the batch: the second, unless only another does."""
    shape = next(tensors_in(state)).shape
    fits = [dim for dim in range(len(shape)) if shape[dim] == batch]
    return 1 if 1 in fits else next(iter(fits), None)
