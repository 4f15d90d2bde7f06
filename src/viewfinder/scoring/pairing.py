"""Which answer belongs to which mask: by their names, whatever each method adds to them.

Programs write `0001.png`, `0001_sal.png`, `mine-0001-map.jpg` or `0001_GT.png` for one picture.
What stands before and behind the name of a mask is the same in all files of a folder, so that it
is found by trying what fits most of them, and said.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath

from viewfinder.datasets.kind_names import bare
from viewfinder.errors import InputError
from viewfinder.wording import counted, some

# So many answers are looked at for what their method adds.
_LOOKS = 200
# Two ways of naming that fit nearly as many files each hold two maps of one picture.
_NEARLY = 0.9


def _stem(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


@dataclass(frozen=True)
class Added:
    """What a method's files have before and behind the name of the mask."""

    before: str = ""
    behind: str = ""

    def core(self, stem: str) -> str | None:
        """The stem without what was added; None where it is not there."""
        if len(stem) <= len(self.before) + len(self.behind):
            return None
        if not (stem.startswith(self.before) and stem.endswith(self.behind)):
            return None
        return stem[len(self.before) : len(stem) - len(self.behind)]

    def __str__(self) -> str:
        return f"{self.before}NAME{self.behind}"


@dataclass(frozen=True)
class Paired:
    """Answers by the name of their mask.

    Attributes:
        answers: the path of each mask's answer, by the mask's path.
        missing: masks without an answer.
        surplus: answers without a mask.
        added: what the files' names have beside the mask's.
    """

    answers: dict[str, str]
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    added: Added

    def of(self, masks: Sequence[str]) -> "Paired":
        """What of it belongs to some of the masks; maps of no mask are not told again."""
        return Paired(
            answers={mask: self.answers[mask] for mask in masks if mask in self.answers},
            missing=tuple(mask for mask in masks if mask not in self.answers),
            surplus=(),
            added=self.added,
        )

    def notes(self, method: str, answer: str, truth: str) -> list[str]:
        """What names have beside the truth's, and what is missing or left over, in words.

        Args:
            answer, truth: what the two are called, such as map and mask.
        """
        said = []
        if str(self.added) != "NAME":
            said.append(f"{method}: {answer}s are named {self.added} for the {truth} NAME")
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
    plain = {bare(key).removeprefix("/"): path for key, path in wanted.items()}
    # Masks in a folder for each category, and maps all in one.
    last = {key.rpartition("/")[2]: path for key, path in wanted.items()}
    fitting, added, names = 0, Added(), wanted
    for tried in (wanted, plain, last):
        if len(tried) < len(wanted) or (tried is last and fitting):
            continue
        for way, fits in _ways(tried, given, where):
            if fits > fitting:
                fitting, added, names = fits, way, tried
    if fitting == 0:
        raise InputError(
            f"no {answer} of {where} is named like a {truth}: there are "
            f"{some(list(answers)) or 'none'} for the {truth}s {some(list(masks))}; give each "
            f"{answer} the name of its {truth}"
        )
    paired = {}
    for key, path in given.items():
        core = added.core(key)
        if core is not None and core in names:
            paired[names[core]] = path
    taken = set(paired.values())
    added = next((_as_written(key, given[key], added, stem) for key in given
                  if given[key] in taken), added)  # fmt: skip
    return Paired(
        answers=paired,
        missing=tuple(path for path in masks if path not in paired),
        surplus=tuple(path for path in answers if path not in taken),
        added=added,
    )


def _as_written(key: str, path: str, added: Added, stem: Callable[[str], str]) -> Added:
    """What was added, as an answer's own name spells it, where that is as long."""
    written = stem(path)[-len(key) :]
    if _key(written) != key:
        return added
    return Added(written[: len(added.before)], written[len(written) - len(added.behind) :])


def _ways(
    names: Mapping[str, str], given: Mapping[str, str], where: str
) -> list[tuple[Added, int]]:
    """The ways of naming that fit most answers, the plain one first, with how many they fit.

    Raises:
        InputError: two ways fit about as many, and the plain one does not.
    """
    plain = sum(key in names for key in given)
    if plain and plain >= _NEARLY * len(given):  # No other way can fit more than all.
        return [(Added(), plain)]
    found = Counter(_guesses(names, list(given)[:_LOOKS]))
    found.pop(Added(), None)
    ways = sorted(
        (
            (sum(added.core(key) in names for key in given), added)
            for added, _ in found.most_common(8)
        ),
        key=lambda way: (-way[0], len(str(way[1]))),
    )
    if plain and (not ways or plain >= _NEARLY * ways[0][0]):
        return [(Added(), plain)]
    if len(ways) > 1 and ways[1][0] >= _NEARLY * ways[0][0] > 1:
        one, other = ways[0][1], ways[1][1]
        raise InputError(
            f"{where} holds several maps of each picture, such as {one} and {other}: put one kind "
            "of them into a folder of its own"
        )
    return [(added, fitting) for fitting, added in ways[:1]]


def _guesses(names: Mapping[str, str], keys: Sequence[str]) -> Iterator[Added]:
    """Where a mask's name stands in an answer's, what is before and behind; the longest name."""
    lengths = sorted({len(name) for name in names}, reverse=True)
    for key in keys:
        for length in lengths:
            parts = ((key[at : at + length], at) for at in range(len(key) - length, -1, -1))
            found = {part: at for part, at in parts if part in names}
            yield from (Added(key[:at], key[at + length :]) for at in found.values())
            if found:
                break


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
