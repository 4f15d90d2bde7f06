"""The command line: finds the verb, reads its flags, and turns errors into one line.

Exit status: 0 done; 1 a check found faults; 2 bad usage or input, with one line `error: …` on
standard error; 130 stopped by Ctrl-C, SIGTERM or a closed terminal. Each verb is a module with a
docstring, a dataclass `Flags` whose fields are its flags, and `run(flags)`, which returns the exit
status; `look_at(words)`, where it has one, refuses words that tyro would refuse less clearly.
"""

import atexit
import contextlib
import difflib
import importlib
import inspect
import io
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from sysconfig import get_path
from types import ModuleType

from viewfinder.console import in_width, names_shown, open_closed_streams, raw
from viewfinder.errors import InputError
from viewfinder.events import listening, note
from viewfinder.interrupts import STOPPED, UNBEGUN, late_answers_told, stops_interrupt
from viewfinder.tasks import NAMES
from viewfinder.wording import shown

VERBS = {
    "demo": "the whole loop on rendered videos, without a drawn box",
    "frames": "sharp frames that differ, taken out of videos as pictures to label",
    "propose": "boxes by a machine, kept apart from labels until a rule accepts them",
    "label": "draw and correct boxes in the browser, every edit kept",
    "order": "which pictures to label next: typical, different, some at random",
    "similar": "pictures, or labelled objects, that look like a given one",
    "train": "train a network on a folder of pictures",
    "evaluate": "score a trained run on pictures with known answers",
    "predict": "let a trained run answer new pictures",
    "bulk": "the same of very many pictures, on all cores or a cluster",
    "why": "where in a picture an answer comes from, by maps that are tested",
    "export": "write a run as an ONNX file, proved to answer as the run does",
    "weights": "what others learnt: the weights to start from, and fetching them",
    "explain": "the arithmetic of every layer, and why a shape does not fit",
    "score": "any methods' maps, boxes or classes against the truth, and chance",
    "compare": "trained models on one set: scores, speed, what they differ in",
    "ablate": "train a grid of recipes, and separate findings from chance",
    "check": "find every fault of a data set, each with a way to fix it",
    "convert": "boxes as COCO, YOLO or Pascal VOC, and what that cannot carry",
    "classes": "list the classes; rename, merge or drop some everywhere at once",
    "compose": "labelled scenes of objects cut out of a few pictures",
    "render": "write the embedded set of rendered pictures as ordinary files",
    "doctor": "what this machine and installation can do, and what fixes the rest",
}

_HEADER = """\
Viewfinder: from a few photographs to a vision model that you understand and
can trust.

usage: viewfinder VERB …

"""
_FOOTER = """
viewfinder VERB --help shows what a verb takes. --version prints the version;
--completion bash (or zsh) a script that completes verbs and flags. Anywhere,
--debug shows the whole traceback of an error, and --json-lines writes progress
as JSON objects on standard error, one a line.

A first quarter of an hour:
  viewfinder demo                                  see what comes out
  viewfinder check my-photos                       my-photos/cat/1.jpg, …
  viewfinder train classify my-photos --net lenet  writes runs/my-photos-lenet/
  viewfinder predict runs/my-photos-lenet new.jpg
"""

_HERE = Path(__file__).parent
# Characters of an error, which may name what is in a file.
_LONGEST = 1500
_NO_MEMORY = (
    "the memory was not enough ({}): close other programs, or ask for less at once: a "
    "smaller --batch or --size, --keep disk or none in a training, or fewer and smaller pictures"
)
_BROKEN = (
    "what Viewfinder is built on cannot be imported ({:.750}): python -m viewfinder.doctor says "
    "what is wrong with this installation, and what fixes it"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        try:
            with stops_interrupt(_HERE, _say_unbegun):
                return _answer(words)
        finally:
            # Here, and not when Python exits: who reads our output may have gone.
            sys.stdout.flush()
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        _print_error(_in_words(error))
        return 2


def _answer(words: list[str]) -> int:
    """Run the command of these words, with its streams open and somebody who listens."""
    as_lines = "--json-lines" in words
    open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may hold what the terminal's encoding does not.
        sys.stdout.reconfigure(errors="backslashreplace")
    with names_shown(), _listening(as_lines=as_lines), late_answers_told(_say_stopping):
        return _dispatch([word for word in words if word not in ("--debug", "--json-lines")])


def _in_words(error: Exception) -> str:
    """What an error says to whoever gave the command."""
    if isinstance(error, InputError):
        return str(error)
    what = _on_one_line(f"{type(error).__name__}: {error}")
    if isinstance(error, OSError) and not _lacks_library(error):
        named = error.filename
        where = f"{os.fsdecode(named) if isinstance(named, bytes) else named}: " if named else ""
        says = f"{where}{error.strerror or error}"
        rights = "; see that your account may read it, and write there"
        return says + rights * isinstance(error, PermissionError)
    if _lacks_memory(error):
        return _NO_MEMORY.format(_on_one_line(str(error))[:150] or "no more is free")
    if _lacks_library(error):
        return _BROKEN.format(what)
    return (
        f"something went wrong inside Viewfinder ({what:.{_LONGEST // 2}}); run the same "
        "command with --debug for the traceback"
    )


def _listening(*, as_lines: bool) -> contextlib.AbstractContextManager[None]:
    """Who hears what happens: the terminal, or whoever reads JSON lines."""
    if not as_lines:
        return contextlib.nullcontext()
    from viewfinder.listeners.json_lines import JsonLines

    return listening(JsonLines())


def _say_unbegun() -> None:
    note(UNBEGUN)


def _say_stopping() -> None:
    note("stopping, once what is being computed now is done")


def _print_error(error: str) -> None:
    """Print an error: one line, which names in files cannot break, colour or make endless.

    For a person it is broken at words where the terminal ends.
    """
    line = _on_one_line(error)
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST - 500]} … {line[-500:]}"
    line = f"error: {shown(line)}"
    print(*in_width(line, sys.stderr), sep="\n", file=sys.stderr)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _lacks_memory(error: Exception) -> bool:
    """Whether memory ran out: Python's, NumPy's, or torch's on a CPU or a GPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )


def _lacks_library(error: Exception) -> bool:
    """Whether a package, or a library that one loads, is missing or damaged."""
    loading = isinstance(error, OSError) and error.filename is None
    return (
        isinstance(error, ImportError)
        or (loading and ("shared object" in str(error) or "DLL" in str(error)))
        or _arose_in_import(error)
    )


def _arose_in_import(error: Exception) -> bool:
    """Whether an error ended the import of a module of ours, or of a package beside ours.

    Our own modules do nothing while they are imported that input could make fail.
    """
    homes = {Path(__file__).parents[1], *map(Path, (get_path("purelib"), get_path("platlib")))}
    left = error.__traceback__
    while left is not None:
        code = left.tb_frame.f_code
        if code.co_name == "<module>" and homes & set(Path(code.co_filename).parents):
            return True
        left = left.tb_next
    return False


def entry() -> None:
    """The console script."""
    status = main()
    if status == STOPPED:
        _leave_at_once()
    sys.exit(status)


def _leave_at_once() -> None:
    """End a process that was asked to stop, without taking apart all that it has imported.

    Of torch that is half a second of work, and ten seconds on a busy machine. What `with` and
    atexit clean up is done. Nor does Python die of the interrupt that has been answered, as it does
    of one that fell into a text that is executed, of which dataclasses and torch have many.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(STOPPED)


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        width = max(map(len, VERBS)) + 2
        verbs = "".join(f"  {verb:<{width}}{says}\n" for verb, says in VERBS.items())
        print(_HEADER + verbs + _FOOTER, end="", file=raw(sys.stdout))
        return 0
    if words[0] == "--version":
        from importlib.metadata import version

        print(version("viewfinder"))
        return 0
    if words[0] == "--completion":
        from viewfinder.cli.completion import script

        raw(sys.stdout).write(script(" ".join(words[1:]), list(VERBS)))
        return 0
    verb = words[0]
    if verb in NAMES:
        raise InputError(
            f"there is no verb {verb!r}, it is what to learn: did you mean "
            f"`viewfinder train {shlex.join(words)}`?"
        )
    if verb not in VERBS:
        near = difflib.get_close_matches(verb, [*VERBS, "--version", "--completion", "--help"], n=1)
        hint = f"did you mean {near[0]}?" if near else f"the verbs are {', '.join(VERBS)}"
        kind = "flag" if verb.startswith("-") else "verb"
        raise InputError(f"there is no {kind} {verb!r}: {hint}")
    module = importlib.import_module(f"viewfinder.cli.{verb}")
    if {"-h", "--help"} & set(words):
        with contextlib.redirect_stdout(raw(sys.stdout)):  # many lines, all of them ours
            _print_help(module, verb, words[1:])
        return 0
    from viewfinder.cli.parsing import read_flags

    try:
        flags = read_flags(module, verb, words[1:])
    except KeyboardInterrupt:
        _say_unbegun()
        raise
    return int(module.run(flags))


def _print_help(module: ModuleType, verb: str, words: list[str]) -> None:
    from viewfinder.cli.flags import flags_of, kind_of
    from viewfinder.cli.help import tasks_help, verb_help
    from viewfinder.cli.parsing import called

    name = called(verb, words)
    if name == "train":
        print(tasks_help(module.__doc__ or ""), end="")
        return
    kind = kind_of(module, words)
    description = inspect.cleandoc((kind if verb == "train" else module).__doc__ or "")
    print(verb_help(name, description, flags_of(kind)), end="")
