"""Methods that answer every picture alike, as one does that stands there under two names."""

from collections.abc import Hashable, Mapping, Sequence


def identical_notes(answers: Mapping[str, Hashable], *, what: str, pictures: int) -> list[str]:
    """In words, which methods have the same answers.

    Args:
        answers: of each method something that is equal where its answers are.
        what: the answers, such as maps.
        pictures: of how many they are.
    """
    of = "the one picture compared" if pictures == 1 else f"all {pictures:,} pictures compared"
    groups: dict[Hashable, list[str]] = {}
    for name, own in answers.items():
        groups.setdefault(own, []).append(name)
    return [
        f"{_listed(names)} have the same {what} in {of}: one method under {len(names):,} names?"
        for names in groups.values()
        if len(names) > 1
    ]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
