"""Which answer belongs to which mask: by their names, whatever each method adds to them.

Programs write `0001.png`, `0001_sal.png`, `mine-0001-map.jpg` or `0001_GT.png` for one picture.
What stands before and behind the name of a mask is the same in all files of a folder, so that it
is found by trying what fits most of them, and said.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import PurePosixPath

from viewfinder.datasets.kind_names import bare
from viewfinder.errors import InputError
from viewfinder.scoring.name_fitting import (
    PLAIN,
    Added,
    NameFit,
    Way,
    fit_names,
    without_common_ends,
)
from viewfinder.wording import counted, some


def _stem(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


@dataclass(frozen=True)
class Paired:
    """Answers by the name of their mask.

    Attributes:
        answers: the path of each mask's answer, by the mask's path.
        missing: masks without an answer.
        surplus: answers without a mask.
        ways: what the files' names have beside the mask's, of each way of naming them.
        padded: whether numbers in names were taken without the zeros before them.
        own: what all masks' names have beside what an answer's name holds of them.
    """

    answers: dict[str, str]
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    ways: tuple[Added, ...]
    padded: bool = False
    own: Added = PLAIN

    def of(self, masks: Sequence[str]) -> "Paired":
        """What of it belongs to some of the masks; maps of no mask are not told again."""
        return replace(
            self,
            answers={mask: self.answers[mask] for mask in masks if mask in self.answers},
            missing=tuple(mask for mask in masks if mask not in self.answers),
            surplus=(),
        )

    def naming(self, answer: str, truth: str) -> list[str]:
        """What names have beside the truth's, in words.

        Args:
            answer, truth: what the two are called, such as map and mask.
        """
        said = []
        if self.ways != (PLAIN,) or self.own != PLAIN:
            named = " and ".join(map(str, self.ways))
            said.append(f"{answer}s are named {named} for the {truth} {self.own}")
        if self.padded and (own := next(iter(self.answers.items()), None)):
            said.append(
                f"numbers in names of {answer}s are taken without the zeros before them: "
                f"{own[1]} for {own[0]}"
            )
        return said

    def notes(self, method: str, answer: str, truth: str) -> list[str]:
        """What names have beside the truth's, and what is missing or left over, in words.

        Args:
            answer, truth: as of `naming`.
        """
        said = [f"{method}: {line}" for line in self.naming(answer, truth)]
        if self.missing:
            count = counted(len(self.missing), truth)
            said.append(f"{method}: no {answer} for {count}: {some(list(self.missing))}")
        if self.surplus:
            count = counted(len(self.surplus), answer)
            said.append(f"{method}: {count} of no {truth}: {some(list(self.surplus))}")
        return said


def pair(
    masks: Sequence[str],
    answers: Sequence[str],
    *,
    where: str,
    answer: str = "map",
    truth: str = "mask",
    stem: Callable[[str], str] = _stem,
) -> Paired:
    """Pair two lists of paths, each relative to its own folder, with `/` between folders.

    Args:
        where: the answers' folder, for errors.
        answer, truth: what the two are called there.
        stem: an answer's path without its ending.

    Raises:
        InputError: no two belong together, a mask or an answer stands there twice, or there are
            several answers to each mask and none of them is named as it is.
    """
    wanted = _by_key(masks, f"{truth}s")
    given = _by_key(answers, where, stem)
    found, names, own = _best(wanted, given)
    if found.several is not None:
        one, other = found.several
        raise InputError(
            f"{where} holds several {answer}s of each {truth}, such as {one} and {other}: put one "
            "kind of them into a folder of its own"
        )
    if found.count == 0:
        there, asked = some(list(answers)) or "none", some(list(masks))
        raise InputError(
            f"no {answer} of {where} is named like a {truth}: there are {there} for the {truth}s "
            f"{asked}; give each {answer} the name of its {truth}"
        )
    paired = {names[name]: given[key] for way in found.ways for key, name in way.names.items()}
    taken = set(paired.values())
    return Paired(
        answers=paired,
        missing=tuple(path for path in masks if path not in paired),
        surplus=tuple(path for path in answers if path not in taken),
        ways=tuple(_written(way, given, stem) for way in found.ways),
        padded=found.padded,
        own=own,
    )


def _best(wanted: dict[str, str], given: dict[str, str]) -> tuple[NameFit, dict[str, str], Added]:
    """How most answers find their masks, the masks by the names that were compared, and what these
    lack of the masks' own."""
    plain = {bare(key).removeprefix("/"): path for key, path in wanted.items()}
    # Masks in a folder for each category, and maps all in one.
    last = {key.rpartition("/")[2]: path for key, path in wanted.items()}
    found, names = NameFit(), wanted
    for tried in (wanted, plain, last):
        if len(tried) < len(wanted) or (tried is last and found.ways):
            continue
        fit = fit_names(list(tried), list(given))
        if fit.rank > found.rank:
            found, names = fit, tried
    if found.ways:
        return found, names, PLAIN
    own, inner = without_common_ends(list(wanted))
    for key in list(wanted)[:1]:
        own = _as_written(key, wanted[key], own, _stem)
    fit = fit_names(list(inner), list(given))
    return fit, {core: wanted[name] for core, name in inner.items()}, own


def _written(way: Way, given: dict[str, str], stem: Callable[[str], str]) -> Added:
    key = next(iter(way.names))
    return _as_written(key, given[key], way.added, stem)


def _as_written(key: str, path: str, added: Added, stem: Callable[[str], str]) -> Added:
    """What was added, as an answer's own name spells it, where that is as long."""
    written = stem(path)[-len(key) :]
    if _key(written) != key or not (key.startswith(added.before) and key.endswith(added.behind)):
        return added
    return Added(written[: len(added.before)], written[len(written) - len(added.behind) :])


def _by_key(paths: Sequence[str], what: str, stem: Callable[[str], str] = _stem) -> dict[str, str]:
    found: dict[str, str] = {}
    # Folders that all files lie in, such as GT, say nothing.
    folders = [PurePosixPath(path).parent.parts for path in paths]
    shared = len(list(takewhile(_alike, zip(*folders, strict=False))))
    for path in paths:
        name = _key(stem("/".join(PurePosixPath(path).parts[shared:])))
        if name in found:
            raise InputError(
                f"{what}: {found[name]} and {path} have the same name, so that it is not clear "
                "which is meant: leave one of them in the folder"
            )
        found[name] = path
    return found


def _alike(names: tuple[str, ...]) -> bool:
    return len(set(names)) == 1


def _key(stem: str) -> str:
    """Alike for all systems: letters composed, and small."""
    return unicodedata.normalize("NFC", stem).casefold()
