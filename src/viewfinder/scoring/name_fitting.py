"""Which names belong together though one list's have something before or behind: `1-0001-map` and
`0001`, or zeros that the other's numbers have not.

What a program adds is the same in all of its names, so that it is found by trying what fits most of
them.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

# So many answers are looked at for what their method adds.
_LOOKS = 200
# Two ways of naming that fit nearly as many files each hold two maps of one picture.
_NEARLY = 0.9
# What is added is believed where it fits this share of the shorter list, and more than one name.
_LEAST = 0.1


@dataclass(frozen=True)
class Added:
    """What a method's names have before and behind the other list's."""

    before: str = ""
    behind: str = ""

    def core(self, name: str) -> str | None:
        """The name without what was added; None where it is not there, or cuts a number in two."""
        if len(name) <= len(self.before) + len(self.behind):
            return None
        if not (name.startswith(self.before) and name.endswith(self.behind)):
            return None
        core = name[len(self.before) : len(name) - len(self.behind)]
        # A number is one, and not a longer one cut in two: 21 is none of 1.
        cut = self.before[-1:].isdigit() and core[0].isdigit()
        cut |= self.behind[:1].isdigit() and core[-1].isdigit()
        return None if cut else core

    def __str__(self) -> str:
        return f"{self.before}NAME{self.behind}"


PLAIN = Added()
"""Nothing."""


@dataclass(frozen=True)
class Way:
    """One way of naming, and the names that it fits.

    Attributes:
        names: of each given name that fits the one that it belongs to.
    """

    added: Added
    names: Mapping[str, str]


@dataclass(frozen=True)
class NameFit:
    """How two lists of names go together.

    Attributes:
        ways: of naming, the one that fits most first; no name is found by two.
        several: two ways that fit as many and the same names, so that nobody knows which is meant.
        padded: whether numbers in names were taken without the zeros before them.
    """

    ways: tuple[Way, ...] = ()
    several: tuple[Added, Added] | None = None
    padded: bool = False

    @property
    def count(self) -> int:
        return sum(len(way.names) for way in self.ways)

    @property
    def rank(self) -> tuple[int, bool, int]:
        """The greater, the better it explains the names."""
        return self.count, self.several is None, -len(self.ways)


def fit_names(names: Sequence[str], given: Sequence[str]) -> NameFit:
    """Which of the given names belong to which of `names`, each of which stands there once."""
    as_they_are = {name: name for name in names}
    found = _fit(as_they_are, {name: name for name in given})
    one_way = found.several is None and len(found.ways) == 1
    if one_way and found.count >= _NEARLY * min(len(names), len(given)):
        return found
    plain, other = _without_zeros(names), _without_zeros(given)
    if plain is None or other is None or (plain == as_they_are and list(other) == list(given)):
        return found
    return max(found, _fit(plain, other, padded=True), key=lambda fit: fit.rank)


def without_common_ends(names: Sequence[str]) -> tuple[Added, dict[str, str]]:
    """What all names have before and behind, and the names by what is left of them; nothing where
    they have nothing, or where that is no word of its own: `p` of `p01` and `p02` is one, and `ca`
    of `cat` and `car` is none."""
    before = _begun_alike(names).rstrip("0123456789")
    rest = [name[len(before) :] for name in names]
    if not all(each[:1].isdigit() for each in rest) and before[-1:].isalnum():
        before, rest = "", list(names)
    behind = _begun_alike([each[::-1] for each in rest])[::-1].lstrip("0123456789")
    cores = [each[: len(each) - len(behind)] for each in rest]
    if not all(each[-1:].isdigit() for each in cores) and behind[:1].isalnum():
        behind, cores = "", rest
    if len(names) < 2 or not all(cores) or not before + behind:
        return PLAIN, {}
    return Added(before, behind), dict(zip(cores, names, strict=True))


def _begun_alike(names: Sequence[str]) -> str:
    """What all of them begin with."""
    return "".join(signs[0] for signs in takewhile(_same, zip(*names, strict=False)))


def _same(signs: Sequence[str]) -> bool:
    return len(set(signs)) == 1


def _without_zeros(names: Sequence[str]) -> dict[str, str] | None:
    """The names by what they are without zeros before their numbers; None where two become one."""
    found = {re.sub(r"(?<!\d)0+(?=\d)", "", name): name for name in names}
    return found if len(found) == len(names) else None


def _fit(names: Mapping[str, str], given: Mapping[str, str], *, padded: bool = False) -> NameFit:
    """The ways of naming by which most of the given names are found.

    Args:
        names, given: names by what is compared of them.
    """
    keys = list(given)
    plain = {key: key for key in keys if key in names}
    found = [(PLAIN, plain)] if plain else []
    # No other way can fit more than all.
    if len(plain) < _NEARLY * len(keys):
        others = _candidates(names, keys)
        if plain and others and len(plain) < _NEARLY * len(others[0][1]):
            found = [others[0], *found, *others[1:]]
        else:
            found += others
    if not found:
        return NameFit()
    first, fits = found[0]
    several = _rivals(found)
    ways = [(first, fits)]
    if several is None:
        ways += _further(names, [key for key in keys if key not in fits], fits)
    return NameFit(
        tuple(Way(a, {given[key]: names[core] for key, core in own.items()}) for a, own in ways),
        several,
        padded,
    )


def _rivals(found: Sequence[tuple[Added, dict[str, str]]]) -> tuple[Added, Added] | None:
    """The first way and another that fits about as many, and some of the same names; nothing where
    one of the two is the plain name, which is meant."""
    first, fits = found[0]
    for added, more in found[1:]:
        near = len(more) >= _NEARLY * len(fits) > 1
        if near and PLAIN not in (first, added) and set(more.values()) & set(fits.values()):
            return first, added
    return None


def _further(
    names: Mapping[str, str], left: list[str], fits: Mapping[str, str]
) -> Iterator[tuple[Added, dict[str, str]]]:
    """The ways of naming of what is left, where they find other names than those found before, and
    at least half of what is left: nobody names few files by chance alike."""
    found = set(fits.values())
    plain = {key: key for key in left if key in names and key not in found}
    if plain:
        yield PLAIN, plain
        found |= set(plain.values())
        left = [key for key in left if key not in plain]
    while left:
        added, own = next(iter(_candidates(names, left)), (PLAIN, {}))
        if 2 * len(own) < max(len(left), 4) or found & set(own.values()):
            return
        yield added, own
        found |= set(own.values())
        left = [key for key in left if key not in own]


def _candidates(
    names: Mapping[str, str], keys: Sequence[str]
) -> list[tuple[Added, dict[str, str]]]:
    """What may have been added, that which fits most names first, each with what it fits."""
    guesses = Counter(_guesses(names, keys[:_LOOKS]))
    guesses.pop(PLAIN, None)
    found = [(added, _fitting(added, names, keys)) for added, _ in guesses.most_common(8)]
    shorter = min(len(names), len(keys))
    least = max(min(2, shorter), _LEAST * shorter)
    likely = [each for each in found if len(each[1]) >= least]
    return sorted(likely, key=lambda each: (-len(each[1]), len(str(each[0]))))


def _fitting(added: Added, names: Mapping[str, str], keys: Sequence[str]) -> dict[str, str]:
    cores = ((key, added.core(key)) for key in keys)
    return {key: core for key, core in cores if core is not None and core in names}


def _guesses(names: Mapping[str, str], keys: Sequence[str]) -> Iterator[Added]:
    """Where a name stands in a given one, what is before and behind; the longest name."""
    lengths = sorted({len(name) for name in names}, reverse=True)
    for key in keys:
        for length in lengths:
            parts = ((key[at : at + length], at) for at in range(len(key) - length, -1, -1))
            found = {part: at for part, at in parts if part in names}
            yield from (Added(key[:at], key[at + length :]) for at in found.values())
            if found:
                break
