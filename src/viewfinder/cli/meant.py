"""What cannot be meant is refused before torch is imported, with the name nearest to it."""

import difflib
import importlib.util
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from viewfinder import nets
from viewfinder.cli.flags import Flag
from viewfinder.cli.made import refuse_dotted, refuse_misspelt_class
from viewfinder.errors import InputError
from viewfinder.nets.facts import TORCHVISION
from viewfinder.pictures.finding import walk
from viewfinder.reading import read_bytes
from viewfinder.runs.places import begun, require_run
from viewfinder.tasks.run_files import MANIFEST
from viewfinder.wording import likest, some

# What other programs call these flags, where it does not begin as ours does.
_HABITS = {
    "lr": "learning-rate",
    "lr0": "learning-rate",
    "bs": "batch",
    "wd": "weight-decay",
    "imgsz": "size",
    "img": "size",
    "image-size": "size",
    "model": "net",
    "arch": "net",
    "network": "net",
    "weights": "init",
    "pretrained": "init",
    "gpu": "device",
    "conf": "threshold",
    "optimizer": "optimiser",
    "color": "colour",
    "name": "out",
    "shape": "input",
}
# And where a verb takes a shape, what other verbs call a side.
_SHAPES = {"size": "input", "imgsz": "input", "img": "input"}
# Fields that name what must be there, and the words that may stand instead.
_PLACES = {
    "data": ("tabletop",),
    "run": ("coco",),
    "source": ("-",),
    "captures": (),
    "file": (),
}
# Those that nothing is ever put into, so that an empty folder is a mistake.
_LOOKED_THROUGH = ("source", "captures")
# Those that are places all, where there are several.
_SEVERAL = ("source",)
PLACES_OF_FLAGS = {
    "init": ("random", "imagenet", "coco"),
    "teacher": (),
    "compose": (),
    "backgrounds": ("tabletop",),
    "unlabelled": (),
    "empty": (),
    "keys": (),
    "video": (),
    "by": ("coco",),
    "weights": (),
    "on": ("tabletop",),
}
_NEAR = 0.75
# A name of fewer letters is how too many others begin.
_SHORT = 4
# How torchvision marks a function that builds a net, and the name that it gives it if another.
_REGISTERED = re.compile(
    r'^@register_model\((?:name="(\w+)")?\)\n(?:.*\n)*?def (\w+)\(', re.MULTILINE
)


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean …?)` with what is closest, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=3, cutoff=_NEAR)
    return f" (did you mean {' or '.join(close)}?)" if close else ""


def refuse_misspelt_flags(words: Sequence[str], flags: Sequence[Flag]) -> None:
    """Refuse a flag that there is not.

    Raises:
        InputError: there is one, and which may be meant.
    """
    known = {flag.name for flag in flags if not flag.positional}
    for word in words:
        given = word.partition("=")[0].replace("_", "-")
        if given.startswith("--") and len(given) > 2 and given not in known:
            meant = _meant_flag(given, known)
            raise InputError(
                f"there is no flag {given}" + (f" (did you mean {meant}?)" if meant else "")
            )


def _meant_flag(given: str, known: set[str]) -> str:
    habits = (_HABITS.get(given[2:]), _SHAPES.get(given[2:]))
    if habit := next((f"--{each}" for each in habits if f"--{each}" in known), ""):
        return habit
    begun = [each for each in known if each.startswith(given) or given.startswith(f"{each}-")]
    if len(begun) == 1:
        return begun[0]
    # Without the dashes, which make all flags alike.
    words = [each.removeprefix("--") for each in known]
    close = difflib.get_close_matches(given.removeprefix("--"), words, n=1, cutoff=0.6)
    return f"--{close[0]}" if close else " or ".join(sorted(begun)[:3])


def refuse_missing_places(flags: object) -> None:
    """Refuse a folder or file that is not there, whatever is done with it.

    Raises:
        InputError: there is one; where a neighbour's name is nearly the same, with it.
    """
    for field, instead in _PLACES.items():
        given = getattr(flags, field, None)
        # Of several words the last may be what is to be written; a verb looks at those itself.
        places = given if isinstance(given, tuple) and field in _SEVERAL else (given,)
        for place in places:
            if _is_missing(place, instead):
                raise InputError(_no_such(field, str(place)))
            if field in _LOOKED_THROUGH and isinstance(place, str | Path):
                refuse_empty(str(place))
    _refuse_no_run(flags)
    out = getattr(flags, "out", None)
    if getattr(flags, "resume", False) and (out is None or begun(Path(out).expanduser())):
        # It goes on from the run's own state, and what it began with may have gone.
        return
    chosen = getattr(flags, "recipe", flags)
    for field, instead in PLACES_OF_FLAGS.items():
        place = getattr(chosen, field, None)
        if _is_missing(place, instead):
            near = nearest(str(place), instead) or _near(str(place))
            words = f" (or {', '.join(instead)})" if instead and not near else ""
            raise InputError(f"--{field}: there is no folder or file {place}{near}{words}")


def refuse_empty(place: str) -> None:
    """Refuse a folder without any file, at whatever depth; raises InputError."""
    folder = Path(place).expanduser()
    if folder.is_dir() and not any(each.files for each in walk(folder)):
        raise InputError(f"{place} is empty: give a folder with pictures")


def _refuse_no_run(flags: object) -> None:
    """Refuse a folder in the place of a run that is none; raises InputError."""
    run = getattr(flags, "run", None)
    if not isinstance(run, str) or run in _PLACES["run"] or not Path(run).expanduser().is_dir():
        return
    given = getattr(flags, "source", getattr(flags, "data", ()))
    others = given if isinstance(given, tuple) else (given,)
    if not any(_is_run(str(each)) for each in others):  # else they are swapped
        require_run(Path(run).expanduser())


def refuse_no_source(sources: Sequence[str], *, verb: str) -> None:
    """Refuse what names nothing to answer, or too much of it; raises InputError."""
    if not sources:
        raise InputError(f"viewfinder {verb} needs SOURCE: a picture, a folder of them, or -")
    if len(sources) > 1 and "-" in sources:
        raise InputError("- is for paths on standard input: give it alone")


def sources_in_words(sources: Sequence[str]) -> str:
    """What is to be answered, in a few words."""
    return "the paths on standard input" if list(sources) == ["-"] else some(sources, 3)


def refuse_swapped(run: str, others: Sequence[str], *, verb: str) -> None:
    """Refuse a run that stands behind what it is to answer.

    Raises:
        InputError: it does; with the words in their order.
    """
    if _is_run(run) or not (runs := [each for each in others if _is_run(each)]):
        return
    rest = [run, *(each for each in others if each != runs[0])]
    words = shlex.join([runs[0], *rest])
    raise InputError(f"the run comes first: viewfinder {verb} {words}")


def _is_run(place: str) -> bool:
    return (Path(place).expanduser() / MANIFEST).is_file()


def refuse_missing(place: str, *, beside: Sequence[str] = ()) -> None:
    """Refuse a folder or file that is not there, and is no net of torchvision's.

    Args:
        beside: words that stand for something else than a path.

    Raises:
        InputError: it is not there; where a neighbour's name is nearly the same, with it.
    """
    if _is_missing(place, tuple(beside)):
        raise InputError(f"there is no folder or file {place}{_near(place)}")


def refuse_misspelt_net(net: str, task: str) -> None:
    """Refuse a network that there is not.

    Raises:
        InputError: there is none of this name, and which may be meant.
    """
    fitting = nets.names(task)
    if net not in nets.names():
        raise InputError(
            f"there is no net called {net!r:.60}{likest(net, fitting)}; the nets for {task} are: "
            f"{', '.join(fitting)}"
        )
    if net not in fitting:
        raise InputError(f"--net {net} is no net for {task}: choose one of {', '.join(fitting)}")


def refuse_misspelt_target(target: str) -> None:
    """Refuse a net to explain that there is not: a name, a file or a module, without running any.

    Raises:
        InputError: there is none of this name, and which may be meant.
    """
    place, colon, _ = target.rpartition(":")
    if colon and len(place) > 1:
        if place.endswith(".py") and _is_missing(place, ()):
            raise InputError(
                f"there is no file {place}{_near(place)}: check the path, given as file.py:Class"
            )
        if place.endswith(".py"):
            refuse_misspelt_class(Path(place).expanduser(), target.rpartition(":")[2])
        return
    known = torchvision_names()
    if target in nets.names() or target in known or not known:
        return
    if target.endswith(".py"):
        raise InputError(
            f"{target} is a file: say which class or function in it is the net, as {target}:Net"
        )
    refuse_dotted(target)
    # As Python would name it, torchvision.models.resnet18: the name alone stands here.
    name, named = target.rpartition(".")[2], [*nets.names(), *known]
    near = f" (did you mean {name}?)" if name in named else likest(name, named)
    raise InputError(
        f"there is no net called {target}{near}: ours are {', '.join(nets.names())}, and any of "
        "torchvision's is known; your own is given as file.py:Class"
    )


def torchvision_names() -> list[str]:
    """The names of torchvision's nets, read off its source, as importing it takes seconds.

    None where it is not installed, or is no longer written so.
    """
    found = importlib.util.find_spec("torchvision")
    names = []
    for place in found.submodule_search_locations or () if found else ():
        for file in Path(place, "models").rglob("*.py"):
            text = read_bytes(file).decode("utf-8", "replace")
            names += [given or named for given, named in _REGISTERED.findall(text)]
    return sorted(names)


def _is_missing(place: object, instead: tuple[str, ...]) -> bool:
    if not isinstance(place, str | Path) or str(place) in instead:
        return False
    # `open_torchvision` knows what torchvision has.
    return not (str(place).startswith(TORCHVISION) or Path(place).expanduser().exists())


def _no_such(field: str, place: str) -> str:
    if Path(place).expanduser().is_symlink():
        return (
            f"{place} is a link that leads to nothing: see where what it is to stand for has gone"
        )
    near = _near(place)
    if field == "run":
        runs = sorted(each.name for each in Path("runs").glob("*/"))
        beside = [f"runs/{name}" for name in _closest(Path(place).name, runs)]
        near = near or (f" (did you mean {' or '.join(beside)}?)" if beside else "")
        near = near or (f" (runs/ has {some(runs)})" if runs else "")
        return f"{place} does not exist{near}: give the folder that `viewfinder train` wrote"
    what = {"data": "no folder ", "captures": "no folder ", "file": "no file "}.get(field, "no ")
    return f"there is {what}{place}{near}: check the name, and that you are in the right folder"


def _near(place: str) -> str:
    """` (did you mean …?)` with the neighbours whose names are nearly the same, or nothing."""
    path = Path(place).expanduser()
    try:
        beside = [each.name for each in path.parent.iterdir()]
    except OSError:
        return ""
    close = _closest(path.name, beside)
    return f" (did you mean {' or '.join(str(path.parent / c) for c in close)}?)" if close else ""


def _closest(word: str, names: Sequence[str]) -> list[str]:
    """At most two names that are nearly the same; else those that begin nearly so."""
    if close := difflib.get_close_matches(word, names, n=2, cutoff=_NEAR):
        return close
    begun: dict[str, list[str]] = {}
    if len(word) < _SHORT:
        return []
    for name in sorted(names):
        begun.setdefault(name[: len(word)], []).append(name)
    found = difflib.get_close_matches(word, begun, n=2, cutoff=_NEAR)
    return [name for each in found for name in begun[each]][:2]
