"""Watching one forward pass on tensors without numbers: every call, in order, and its failure."""

import contextlib
import io
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks

from viewfinder.explain.calls import tensors_in
from viewfinder.explain.costs import KeptTensors, MacCounter
from viewfinder.explain.edits import Edit, Rewrite
from viewfinder.explain.input_edits import apply_to_inputs
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.recording import Recorder
from viewfinder.explain.shadow import masks_unread, shadow, uncollected, undisturbed
from viewfinder.explain.shortcuts import Shortcuts
from viewfinder.explain.traces import Failure, Sample, Trace, TracedFrame


def trace(
    module: nn.Module,
    arguments: Args,
    *,
    real: bool = False,
    edits: Sequence[Edit] = (),
    costs: bool = True,
    shortcuts: Shortcuts | None = None,
) -> Trace:
    """Run `module` once on `arguments`, in which Samples and tensors stand for the inputs.

    Args:
        real: run on random numbers and a copy of the weights, for nets that look at values.
        edits: changes of the copy, of its inputs and of calls, to be tried out.
        costs: count multiply-accumulates and kept bytes too.
        shortcuts: results of earlier passes, from which one without costs is made.
    """
    fake = None if real else FakeTensorMode(allow_non_fake_inputs=True)
    with undisturbed(), warnings.catch_warnings(), ExitStack() as modes:
        # Of a loss that repeats what there is less of, a caution tells more.
        warnings.filterwarnings("ignore", "Using a target size")
        if not costs:
            # What torch, or the net itself, has to say of a trial is nobody's.
            modes.enter_context(contextlib.redirect_stdout(io.StringIO()))
            warnings.simplefilter("ignore")
        twin = shadow(module, fake)
        device = next((tensor.device for tensor in twin.parameters()), torch.device("cpu"))
        if fake:
            modes.enter_context(fake)
            modes.enter_context(uncollected())
            modes.enter_context(masks_unread())
        for edit in edits:
            edit.prepare(twin)
        imagined = tuple(_imagine(value, fake, device) for value in arguments)
        given = apply_to_inputs(edits, imagined)
        seen = Trace(module=twin, inputs=tuple(tensors_in(given)))
        rewrites = [edit for edit in edits if isinstance(edit, Rewrite)]
        recorder = Recorder(seen, fake=fake, rewrites=rewrites, shortcuts=shortcuts, learn=costs)
        modes.callback(_watch(twin, recorder))
        for edit in edits:
            edit.watch(twin, recorder)
        kept = KeptTensors(lambda: recorder.current)
        modes.enter_context(torch.enable_grad())
        if costs:
            modes.enter_context(saved_tensors_hooks(kept.pack, kept.unpack))
            modes.enter_context(MacCounter(lambda: recorder.current))
        modes.enter_context(recorder)
        try:
            seen.result = twin(*given)
            seen.outputs = tuple(tensors_in(seen.result))
        except Exception as error:
            seen.failure = _failure(error, recorder, twin, given)
    seen.count = recorder.count
    if costs and seen.failure is None:
        seen.overwritten = kept.overwritten(seen.calls)
    kept.settle(twin)
    return seen


def _failure(error: Exception, recorder: Recorder, module: nn.Module, given: Args) -> Failure:
    call = None
    if recorder.failed is not None and recorder.failed[1] is error:
        call = recorder.failed[0]
    frame = TracedFrame(module, "", given, {}, None, False)
    if recorder.broken is not None and recorder.broken[1] is error:
        frame = recorder.broken[0]
    return Failure(error, frame, call, recorder.trace)


def _watch(module: nn.Module, recorder: Recorder) -> Callable[[], None]:
    """Hooks on the copy; they return None, for a returned value would replace the output.

    Gives what takes them away: the copy would hold the recorder, and the recorder the copy.
    """
    handles = []
    for path, child in module.named_modules():

        def before(child: nn.Module, args: Args, kwargs: Kwargs, path: str = path) -> None:
            recorder.enter(child, path, args, kwargs)

        def after(child: nn.Module, args: Args, output: object) -> None:
            recorder.leave(child, output)

        handles.append(child.register_forward_pre_hook(before, with_kwargs=True, prepend=True))
        handles.append(child.register_forward_hook(after, always_call=True))

    def leave() -> None:
        for handle in handles:
            handle.remove()

    return leave


def _imagine(value: object, fake: FakeTensorMode | None, device: torch.device) -> object:
    if isinstance(value, Sample):
        device = value.device or device
        if fake:
            return torch.empty(value.shape, dtype=value.dtype, device=device)
        if value.dtype.is_floating_point:
            return torch.rand(value.shape, dtype=value.dtype, device=device)
        return torch.zeros(value.shape, dtype=value.dtype, device=device)
    if isinstance(value, Tensor):
        return fake.from_tensor(value.detach()) if fake else value.detach().clone()
    if isinstance(value, list | tuple):
        return type(value)(_imagine(item, fake, device) for item in value)
    if isinstance(value, dict):
        return {key: _imagine(item, fake, device) for key, item in value.items()}
    return value
