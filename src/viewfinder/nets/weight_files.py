"""Files of weights that others wrote, read safely into named tensors.

A weight file may come from anywhere, so nothing here runs code found in one: `.safetensors` cannot
hold any, and torch's pickles are read by its restricted reader, which builds tensors alone.
"""

import pickle
import re
import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.nets.pickled import PICKLE
from viewfinder.nets.weight_heads import (
    darknets,
    is_darknet,
    is_program,
    is_safetensors,
    more_than_tensors,
    read_head,
    refuse_compressed,
    unreadable,
)
from viewfinder.wording import counted

# Where training scripts keep the weights within a larger checkpoint, in the order of preference.
_NESTS = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "module"),
    *("weights", "params", "params_ema", "ema_state_dict", "state_dict_ema", "model_ema", "ema"),
    *("teacher", "student", "backbone", "encoder"),
)
_DEEPEST = 4
# Keys beside them that are named.
_TOLD = 3
# Of a name, before which a prefix may end.
_MOST_WORDS = 8

# What data parallelism and torch.compile put before every name.
_WRAPPERS = ("module.", "_orig_mod.")


def read_weights(path: str | Path, *layouts: nn.Module) -> dict[str, Tensor]:
    """The tensors of a weight file by name, on the CPU, in the types they were saved in.

    Reads `.safetensors`, and what `torch.save` writes of a state dict or of a checkpoint with one
    inside, such as under `state_dict`, `model` or `ema`. Prefixes that wrappers of a whole net put
    before every name, such as `module.`, are left away.

    Args:
        layouts: nets that the weights may be for. A prefix behind which most of the tensors fit
            one of them, such as `backbone.`, is left away too, with what does not lie behind it;
            a note says so. One with `published_names` has them put in the place of the file's.

    Raises:
        InputError: there is no such file, it is damaged, holds no weights, or would have to run
            code, or take far more memory than its size, to be read.
    """
    path = Path(path)
    head = read_head(path)
    document = _read_safetensors(path) if is_safetensors(path, head) else _read_torch(path, head)
    return fitted(tensors_in(document, str(path)), *layouts)


def fitted(state: Mapping[str, Tensor], *layouts: nn.Module) -> dict[str, Tensor]:
    """Weights under the names that nets have for them; `layouts` as of `read_weights`."""
    state = dict(state)
    for each in layouts:
        state = as_named_in(each, state)
    prefix = max((_prefix_of(state, each.state_dict()) for each in layouts), default="", key=len)
    return _behind(state, prefix) if prefix else state


def tensors_in(document: object, source: str) -> dict[str, Tensor]:
    """The tensors within a checkpoint, without its nesting and without wrappers' prefixes.

    Raises:
        InputError: there are none, or not of a plain kind; `source` is what it calls the file.
    """
    found, keys, beside = _innermost(document)
    if keys:
        others = f", and not those under {', '.join(map(repr, beside))}" if beside else ""
        note(f"{source}: the weights under {'.'.join(keys)!r} are read{others}")
    if not isinstance(found, Mapping):
        raise InputError(
            f"{source} holds a {type(found).__name__}, not named weights: "
            f"save net.state_dict() instead"
        )
    state = {name: tensor.detach() for name, tensor in _own_tensors(found).items()}
    if not state:
        named = few([str(key) for key in found]) or "nothing"
        raise InputError(f"{source} holds no weights, only {named}: save net.state_dict() instead")
    for name, tensor in state.items():
        if _is_exotic(tensor):
            raise InputError(
                f"{source} holds {name} in a form that no net here takes (sparse, quantised, "
                f"complex or without values): save the weights as plain tensors"
            )
    while prefix := next((p for p in _WRAPPERS if all(n.startswith(p) for n in state)), None):
        note(f"{prefix!r} is left away before all names")
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def few(words: tuple[str, ...] | list[str], most: int = 4) -> str:
    """The first of many words, and how many more there are."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def first_line(error: object) -> str:
    """The first line of an error's text, or its kind where it has none."""
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__


def _innermost(document: object) -> tuple[object, list[str], list[str]]:
    """The mapping that holds the weights: by a known name, else the one with the most tensors; the
    keys that lead to it, and those beside the last that may hold others."""
    keys, beside = list[str](), list[str]()
    for _ in range(_DEEPEST):  # Deeper is no real checkpoint; a hostile one may hold itself.
        if not isinstance(document, Mapping):
            break
        counts = {k: _count(each) for k, each in document.items() if isinstance(each, Mapping)}
        key = next((each for each in _NESTS if counts.get(each)), None)
        if key is None and not _own_tensors(document):
            key = max(counts, key=lambda each: counts[each], default=None)
        if key is None or not counts[key]:
            break
        beside = [each for each in _NESTS if each != key and counts.get(each)][:_TOLD]
        keys.append(f"{key!s:.40}")
        document = document[key]
    return document, keys, beside


def _own_tensors(document: Mapping[object, object]) -> dict[str, Tensor]:
    return {
        name: value
        for name, value in document.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }


def _count(document: object) -> int:
    """How many named tensors lie in a mapping, and in the mappings in it."""
    count, seen, waiting = 0, set[int](), [document]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, Mapping) and id(inner) not in seen:
            seen.add(id(inner))
            count += len(_own_tensors(inner))
            waiting += inner.values()
    return count


def as_named_in(layout: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under a net's own names, where it says what published files call its parts."""
    names = dict(zip(state, state, strict=True))
    for theirs, ours in getattr(layout, "published_names", ()):
        names = {name: re.sub(theirs, ours, now) for name, now in names.items()}
    return {names[name]: tensor for name, tensor in state.items()}


def _prefix_of(state: Mapping[str, Tensor], layout: Mapping[str, Tensor]) -> str:
    """What to leave away of the names for most tensors to fit a layout; mostly nothing."""
    fitting: Counter[str] = Counter({"": 0})
    for name, tensor in state.items():
        words = name.split(".", _MOST_WORDS)
        for place in range(len(words)):
            ours = layout.get(".".join(words[place:]))
            if ours is not None and ours.is_floating_point() and ours.shape == tensor.shape:
                fitting["".join(f"{word}." for word in words[:place])] += 1
    prefix, count = max(fitting.items(), key=lambda item: item[1])  # the first of equals
    wanted = sum(tensor.is_floating_point() for tensor in layout.values())
    # Single layers fit by chance behind many prefixes.
    enough = 2 * count >= min(wanted, len(state))
    return prefix if count > fitting[""] and enough else ""


def _behind(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, without it."""
    inner = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
    left = len(state) - len(inner)
    note(
        f"{prefix!r} is left away before the names of {counted(len(inner), 'tensor')}, which "
        "fit then" + (f"; {counted(left, 'other')} left out" if left else "")
    )
    return inner


def _read_safetensors(path: Path) -> object:
    try:
        return safetensors.torch.load_file(path)
    except Exception as error:  # A foreign file may break a reader in any way.
        raise InputError(
            f"{path} is not a whole safetensors file ({first_line(error)}): fetch or save it again"
        ) from error


def _read_torch(path: Path, head: bytes) -> object:
    # A program's code is compressed; torch refuses programs before it reads more of them.
    if head.startswith(b"PK") and not is_program(path):
        refuse_compressed(path)
    try:
        with warnings.catch_warnings():
            # torch warns of what it then refuses: old pickle protocols, TorchScript archives.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # A foreign file may break a reader in any way.
        looks_whole = head.startswith((PICKLE, b"PK"))
        if looks_whole and (isinstance(error, pickle.UnpicklingError) or is_program(path)):
            raise InputError(more_than_tensors(path)) from error
        if is_darknet(path):
            raise InputError(darknets(path)) from error
        # torch's words on pickles advise to load the file without its guard.
        why = "" if isinstance(error, pickle.UnpicklingError) else first_line(error)
        raise InputError(unreadable(path, why)) from error


def _is_exotic(tensor: Tensor) -> bool:
    plain = tensor.layout is torch.strided
    return not plain or tensor.is_quantized or tensor.is_complex() or tensor.is_meta
