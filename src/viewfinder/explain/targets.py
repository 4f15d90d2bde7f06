"""Finding the net that a person means: a name, `module:Class`, `file.py:Class` or a function.

A file's code is run to define what is in it, as Python does with any file; that is why this is
only ever done with what the person names, never with something found in a run or a weight file.
"""

import difflib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.explain.explanation import Shape
from viewfinder.explain.recording import is_users
from viewfinder.explain.traces import Sample


class CannotBuild(InputError):
    """The class or function that stands for a net raised an error; `build` does so again."""

    def __init__(self, message: str, error: Exception, build: Callable[[], nn.Module]) -> None:
        super().__init__(message)
        self.error, self.build = error, build


def find_net(target: str) -> tuple[nn.Module, Shape | None]:
    """The net that `target` names, and the (height, width) it is meant for where that is known.

    Raises:
        InputError: there is no such net, file, class or function.
        CannotBuild: building it raises an error.
    """
    if ":" in target and not (len(target) > 1 and target[1] == ":" and target.count(":") == 1):
        place, _, name = target.rpartition(":")
        return _build(_attribute(_module(place), name, place), target), None
    if target in nets.names():
        return nets.create(target), nets.input_size(target)
    return _torchvision(target), None


def _torchvision(target: str) -> nn.Module:
    from torchvision import models

    if target in models.list_models():
        return _build(models.get_model_builder(target), target)
    if target.endswith(".py"):
        raise InputError(
            f"{target} is a file: say which class or function in it is the net, as {target}:Net"
        )
    known = sorted({*nets.names(), *models.list_models()})
    # As Python would name it, torchvision.models.resnet18: the name alone stands here.
    name = target.rpartition(".")[2]
    close = [name] if name in known else difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"try {', '.join(nets.names())}."
    raise InputError(
        f"there is no net called {target}: {hint} Your own net is given as file.py:Class"
    )


def _module(place: str) -> ModuleType:
    path = Path(place)
    if path.suffix == ".py" or path.is_file():
        return _run_file(path)
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name and (place == error.name or place.startswith(error.name + ".")):
            raise InputError(
                f"there is no module {place}: give one that can be imported from here, or a file "
                "as file.py:Class"
            ) from error
        raise InputError(f"importing {place} failed: it needs {error.name}: install it") from error
    except Exception as error:
        raise InputError(f"importing {place} failed: {_said(error)}") from error


def _run_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"there is no file {path}: check the path, given as file.py:Class")
    # The file may import its neighbours, as it could when run as a script.
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is not a Python file: give one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        line = f"{path}, line {error.lineno}"
        raise InputError(f"{line} is not valid Python: {error.msg}: correct it first") from error
    except (Exception, SystemExit) as error:
        raise InputError(f"running {path} failed: {_said(error)}: correct it first") from error
    return module


def _attribute(module: ModuleType, name: str, place: str) -> object:
    if hasattr(module, name):
        return getattr(module, name)
    nets_there = [
        key
        for key, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, nn.Module)
        and value.__module__ == module.__name__
    ]
    close = difflib.get_close_matches(name, list(vars(module)), n=3)
    hint = f"it has {', '.join(nets_there)}" if nets_there else "check the spelling"
    hint = f"did you mean {' or '.join(close)}?" if close else hint
    within = [
        key
        for key, each in list(sys.modules.items())
        if key.startswith(f"{module.__name__}.")
        and callable(getattr(each, "__dict__", {}).get(name))
    ]
    if within:
        hint = f"did you mean {min(within, key=len)}:{name}?"
    raise InputError(f"{place} has no class or function called {name}: {hint}")


def _build(thing: object, target: str) -> nn.Module:
    if isinstance(thing, nn.Module):
        return thing
    if not callable(thing):
        raise InputError(
            f"{target} is {_article(type(thing).__name__)}, not a net: give a class, or a "
            "function that returns a net"
        )
    needed = _needed(thing)
    if needed:
        raise InputError(
            f"{target} needs {', '.join(needed)} to be built: write a function without "
            f"arguments that returns it, such as def net(): return {target.rpartition(':')[2]}(…)"
        )
    try:
        net = thing()
    except Exception as error:
        words = f"building {target} failed: {_said(error)}{_built_at(error)}: correct it first"
        raise CannotBuild(words, error, thing) from error
    if not isinstance(net, nn.Module):
        raise InputError(
            f"{target} gave {_article(type(net).__name__)}, not a net: it must return a "
            "torch.nn.Module"
        )
    return net


def _built_at(error: Exception) -> str:
    """The user's line that building failed at."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if is_users(frame.filename) and frame.line
    ]
    return f" at {Path(own[-1].filename).name}:{own[-1].lineno} ({own[-1].line})" if own else ""


def _needed(thing: Callable[..., object]) -> list[str]:
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return []
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        p.name
        for p in parameters
        if p.default is p.empty and (p.kind in named or p.kind is p.KEYWORD_ONLY)
    ]


def parse_input(text: str, batch: int) -> Sample:
    """An input, or a target, written `3x224x224` or `128:int64`, with its batch in front.

    `:int64`, without sizes, is one number for each item of the batch. Where the batch is 0, there
    is no dimension for it.

    Raises:
        InputError: it is not sizes joined by x, with a torch type behind a colon if any.
    """
    sizes, colon, kind = text.replace("×", "x").partition(":")
    try:
        shape = tuple(int(size) for size in sizes.lower().split("x") if size or not colon)
    except ValueError:
        shape = (0,)
    if not (shape or kind) or any(size < 1 for size in shape) or (sizes and not shape):
        raise InputError(
            f"--input {text} is not a shape: write sizes joined by x, without the batch, such as "
            "3x224x224, or :int64 for one number each"
        )
    dtype = getattr(torch, kind or "float32", None)
    if not isinstance(dtype, torch.dtype):
        raise InputError(f"--input {text}: torch has no type {kind}: write uint8, int64 or float32")
    return Sample((batch, *shape) if batch else shape, dtype)


def usual_input(net: nn.Module, size: Shape | None, batch: int) -> Sample:
    """What a picture net takes when nothing else is said: its first convolution's channels.

    Raises:
        InputError: the net does not begin with a convolution over pictures.
    """
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            shape = (layer.in_channels, *(size or (224, 224)))
            return Sample((batch, *shape) if batch else shape)
    raise InputError(
        f"{type(net).__name__} has no convolution over pictures, so its input cannot be guessed: "
        "say its shape without the batch, such as --input 784 or --input 16:int64"
    )


def _said(error: BaseException) -> str:
    message = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _article(name: str) -> str:
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def side_of(text: str) -> int:
    """The side of a square colour picture, written 3x64x64.

    Raises:
        InputError: the input is something else.
    """
    shape = parse_input(text, 1).shape
    if len(shape) != 4 or shape[1] != 3 or shape[2] != shape[3]:
        raise InputError(f"--input {text}: --shift moves square colour pictures, as 3x64x64")
    return shape[2]
