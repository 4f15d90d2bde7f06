"""One net, one pass, one explanation."""

from dataclasses import replace
from typing import cast

from torch import nn

from viewfinder.errors import InputError
from viewfinder.explain.assembling import assemble, source_code, source_text
from viewfinder.explain.cautions import cautions
from viewfinder.explain.cautions.unmet import unmet
from viewfinder.explain.diagnosis import diagnose
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.diagnosis.rows import LostBatch, cut, refuse_mixed
from viewfinder.explain.explanation import Explanation, Mistake
from viewfinder.explain.fixes import Inputs, Lab, Stop, first_use, offers, sampled, with_batch
from viewfinder.explain.fixes.variants import has_channels_last, module_takes_last
from viewfinder.explain.shortcuts import Shortcuts
from viewfinder.explain.traces import Failure, Sample, Trace, looks_at_numbers
from viewfinder.explain.tracing import trace


def explain(
    module: nn.Module,
    *inputs_or_shapes: object,
    name: str | None = None,
    real: bool = False,
    batched: bool | None = None,
) -> Explanation:
    """The arithmetic of every layer of `module` for these inputs, or why they do not fit.

    The pass runs on tensors without numbers, over a copy of the module without weights: nothing
    is allocated, and the module is afterwards as it was. Training or evaluation is as it is set.
    A second pass with twice the batch shows what depends on it, and what is wrong with that.

    Args:
        module: any net.
        inputs_or_shapes: one for each input: a tensor, or a shape with its batch, such as
            (1, 3, 224, 224); lists and dictionaries of them for nested inputs.
        name: what to call the net; its class if left out.
        real: run on random numbers and a copy of the weights, for a net that looks at values.
        batched: whether the first dimension of the inputs is their batch. If left out, it is,
            unless the net reads it otherwise: as the channels of one picture, one sequence or
            graph, or as the steps of layers without batch_first, which is told as a mistake only
            where batched=True says that it is one.

    Raises:
        InputError: `module` is no net, or one that looks at the numbers of its tensors, and `real`
            is not set.
    """
    if not isinstance(cast(object, module), nn.Module):
        made = f": viewfinder.nets.create({module!r}) makes one" if isinstance(module, str) else ""
        raise InputError(f"explain takes a net, and this is of type {type(module).__name__}{made}")
    arguments = tuple(_sample(value) for value in inputs_or_shapes)
    return explain_call(module, arguments, name=name, real=real, batched=batched)


def explain_call(
    module: nn.Module,
    arguments: tuple[object, ...],
    *,
    name: str | None = None,
    real: bool = False,
    batched: bool | None = None,
    line: tuple[int, tuple[str, ...]] | None = None,
) -> Explanation:
    """As `explain`, of arguments as they are: Samples, tensors, and whatever else a net takes.

    Args:
        line: of a line of a script that is explained as a net: the batch of its tensors, and what
            it calls them.
    """
    shortcuts = Shortcuts()
    seen = trace(module, arguments, real=real, shortcuts=shortcuts)
    if seen.failure is not None and not real and looks_at_numbers(seen.failure):
        raise InputError(_numbers_wanted(seen.failure))
    if line is not None and len(line[1]) == len(seen.inputs):
        seen.called = line[1]
    refuse_mixed(seen)
    samples = tuple(sampled(value) for value in arguments)
    inputs = Inputs(samples, *line) if line else with_batch(seen, samples, batched)
    first = first_use(seen)
    if first is not None and first.base in ("conv1d", "conv_transpose1d"):
        inputs = replace(inputs, steps_last=not has_channels_last(first))
    elif first is not None and first.base in ("conv2d", "conv3d"):
        inputs = replace(inputs, channels_last=has_channels_last(first))
    elif module_takes_last(module, inputs):
        inputs = replace(inputs, channels_last=True)
    lab = Lab(module, inputs, seen, real, shortcuts)
    stop = lab.stops()
    # Of a line of a script nobody knows what comes before and behind.
    twice = lab.doubled if line is None and not inputs.steps_first else None
    found = cautions(module, seen, twice, lab.followed)
    single = lab.single() if stop is None else None
    mistake = _mistake(lab, seen, stop) if stop is not None else _alone(single, seen)
    explanation = assemble(seen, name or type(module).__name__, mistake)
    if seen.failure is None:
        found = (*found, *unmet(seen, explanation.totals.unused))
    return replace(explanation, warnings=found)


def _mistake(lab: Lab, seen: Trace, stop: Stop) -> Mistake:
    names = lab.names(stop)
    case = Case(stop.failure, names.operand, names.inputs.batch)
    mistake = diagnose(case)
    found = offers(lab, stop)
    if stop.batch:
        batch = lab.inputs.batch
        mistake = replace(
            mistake, rule=f"with a batch of {2 * batch} instead of {batch}: {mistake.rule}"
        )
        cut(seen, stop.failure, stop.place)
    return replace(
        mistake,
        fixes=tuple(offer.text for offer in found),
        offers=tuple(found),
        untried=lab.untried,
    )


def _alone(single: Lab | None, seen: Trace) -> Mistake | None:
    """What goes wrong with a batch of 1 alone, such as the last one of a set."""
    stop = single.stops() if single is not None else None
    if single is None or stop is None or stop.batch:
        return None
    mistake = _mistake(single, seen, stop)
    cut(seen, stop.failure, stop.place)
    if isinstance(stop.failure.error, LostBatch):
        return mistake
    return replace(mistake, rule=f"with a batch of 1: {mistake.rule}")


def _sample(value: object) -> object:
    if isinstance(value, tuple | list) and value and all(type(size) is int for size in value):
        return Sample(tuple(value))
    if isinstance(value, list | tuple):
        return type(value)(_sample(item) for item in value)
    if isinstance(value, dict):
        return {key: _sample(item) for key, item in value.items()}
    return value


def _numbers_wanted(failure: Failure) -> str:
    source = failure.call.source if failure.call else None
    line = f" at {source_text(source)} ({source_code(source)})" if source else ""
    return (
        f"{failure.frame.path or type(failure.frame.module).__name__} looks at the numbers in a "
        f"tensor{line}, and an explanation has shapes only: add real=True (--real) to run it "
        "once on random numbers"
    )
