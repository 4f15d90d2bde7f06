"""A script of the user's own, and what its error says of the net that it ran.

The script runs as Python runs it; nothing is watched. Only when an error comes out of it is the
net taken from the traceback, with the tensors that it was given, and explained.
"""

import contextlib
import inspect
import io
import shlex
import subprocess
import sys
import sysconfig
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.explain.passed import Args

if TYPE_CHECKING:
    from viewfinder.explain.explanation import Explanation

_CALLS = ("_call_impl", "_wrapped_call_impl")


def run_script(words: Sequence[str]) -> int:
    """Run `train.py --flags`, or `-m module --flags`; exit status as Python's.

    After an error of the script, its usual traceback, and below it the explanation of the net
    that failed, where one did.
    """
    try:
        _execute(list(words))
    except SystemExit:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        own = _users_part(error.__traceback__)
        traceback.print_exception(type(error), error, own)
        if isinstance(error, Exception):
            _explain(error.with_traceback(own))
        return 1
    return 0


def run_apart(command: str) -> int:
    """`run_script` in a Python of its own; `command` may begin with `python`.

    Raises:
        InputError: the command names no script.
    """
    words = shlex.split(command)
    if words and Path(words[0]).name.removesuffix(".exe").startswith("python"):
        words = words[1:]
    if not words or (words[0] != "-m" and not Path(words[0]).is_file()):
        raise InputError(
            f'--run {command}: give a script that there is, as --run "python train.py"'
        )
    if words[0] == "-m" and len(words) == 1:
        raise InputError(f'--run {command}: say which module, as --run "python -m train"')
    return subprocess.call([sys.executable, "-m", "viewfinder.explain", *words])


def _execute(words: list[str]) -> None:
    if words[0] == "-m":
        import runpy

        sys.argv = words[1:]
        sys.path.insert(0, "")
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        return
    path = Path(words[0])
    main = ModuleType("__main__")
    main.__file__ = words[0]
    sys.argv = words
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules["__main__"] = main
    with io.open_code(str(path.resolve())) as file:
        source = file.read()
    exec(compile(source, words[0], "exec"), main.__dict__)


def _users_part(found: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames that ran the script."""
    while found is not None and found.tb_frame.f_code.co_filename in (__file__, "<frozen runpy>"):
        found = found.tb_next
    return found


def _explain(error: Exception) -> None:
    from viewfinder.explain.collating import collated

    try:
        mistake = collated(error)
        if mistake is None:
            explanation = explained(error)
            mistake = explanation.mistake if explanation is not None else None
    except Exception:
        # The user's own error is what counts; an explanation that fails adds nothing to it.
        return
    if mistake is None:
        return
    from viewfinder.explain.rendering.terminal import mistake_lines

    for line in mistake_lines(mistake):
        note(line.plain.rstrip())


def explained(error: BaseException) -> "Explanation | None":
    """What an error of a script's comes from: a layer that cannot be built, a net, or a line.

    A net is explained for what it was given; a call of torch outside of any net by running its line
    again, over the variables that it had.
    """
    from viewfinder.explain.building import explain_building

    found = error.__traceback__
    if isinstance(error, Exception) and (built := explain_building(error)) is not None:
        return built
    call = next(_calls(found), None)
    if call is not None and not _is_torchs(call[0]):
        return _net(*call)
    line = _line(found)
    if line is not None and line.mistake is not None:
        return line
    return None if call is None else _net(*call)


def _net(module: Any, args: Args, kwargs: dict[str, Any]) -> "Explanation":
    from viewfinder.explain.explaining import explain_call

    try:
        bound = inspect.signature(module.forward).bind(*args, **kwargs)
        bound.apply_defaults()
        given = bound.args if not bound.kwargs else args
    except TypeError:
        given = args
    return explain_call(module, tuple(given), name=type(module).__name__)


def _is_torchs(module: object) -> bool:
    """A loss or a layer of torch that the script calls itself; its line tells more."""
    home = type(module).__module__
    return home.startswith("torch.nn.") and not home.endswith("container")


def _line(found: TracebackType | None) -> "Explanation | None":
    from viewfinder.explain.explaining import explain_call
    from viewfinder.explain.replaying import replay

    last = None
    while found is not None and found.tb_frame.f_code.co_name not in _CALLS:
        filename = found.tb_frame.f_code.co_filename
        if not filename.startswith(("<", *_libraries())):
            last = found
        found = found.tb_next
    if last is None or "torch" not in sys.modules:
        return None
    again = replay(last.tb_frame, last.tb_lasti, last.tb_lineno)
    if again is None:
        return None
    with contextlib.redirect_stdout(io.StringIO()):
        return explain_call(again.net, again.values, line=(again.batch, again.names))


def _libraries() -> tuple[str, ...]:
    """Where other people's code is installed."""
    return tuple({path for path in sysconfig.get_paths().values() if path != sys.prefix})


def _calls(
    found: TracebackType | None,
) -> Iterator[tuple[object, tuple[object, ...], dict[str, object]]]:
    torch = sys.modules.get("torch")
    while torch is not None and found is not None:
        frame: FrameType = found.tb_frame
        module = frame.f_locals.get("self")
        if frame.f_code.co_name in _CALLS and isinstance(module, torch.nn.Module):
            yield module, tuple(frame.f_locals.get("args", ())), dict(frame.f_locals["kwargs"])
        found = found.tb_next
