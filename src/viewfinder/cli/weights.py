"""List the weights that nets can start from: whose, from where, and what is on this machine.

  viewfinder weights                  lists them
  viewfinder weights get NAME …       fetches what is not here; prints the files

NAME is a net's. A file is there whole or not at all; one that was cut short is resumed. Where
there is no network, bring the file from elsewhere into a folder, and name that folder in the
variable VIEWFINDER_WEIGHTS.

Example:

  viewfinder weights get yolov3
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from viewfinder.cli.output import print_json, say
from viewfinder.errors import InputError

if TYPE_CHECKING:
    from viewfinder.nets.catalogue import Known


@dataclass(frozen=True)
class Flags:
    wanted: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="WANTED")] = ()
    """Nothing; or get NAME, or get NAME NAME …"""
    json: bool = False
    """Print one JSON document: weights, each with net, init, within, colours, from, licence, bytes,
    exact, sha256, file, place and other (what lies in its place and is not it)."""


def run(flags: Flags) -> int:
    """List, or fetch."""
    from viewfinder.nets.catalogue import get_weights, known_weights

    names = _names(flags.wanted)
    files = {name: get_weights(name) for name in names}
    if flags.json:
        known = known_weights()
        chosen = [each for each in known if each.file in files.values()] if names else known
        print_json({"weights": [_document(each) for each in chosen]})
    elif names:
        for file in files.values():
            print(file)
    else:
        for each in known_weights():
            _print(each)
    return 0


def _names(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """What follows `get`.

    Raises:
        InputError: it is another word, or nothing does.
    """
    if not wanted:
        return ()
    if wanted[0] != "get":
        raise InputError(
            f"{wanted[0]!r} is nothing to do here: `viewfinder weights` lists the weights, and "
            "`viewfinder weights get NAME` fetches those of one name"
        )
    if len(wanted) == 1:
        raise InputError("get what? `viewfinder weights` lists the names, as in: get yolov3")
    return wanted[1:]


def _print(known: "Known") -> None:
    """Four lines: what they are, where from, their digest, and where they are."""
    within = f"; within {', '.join(known.within)}" if known.within else ""
    size = f"{known.length:,} bytes" if known.exact else f"about {known.length / 1e6:.1f} MB"
    say(f"{known.net}: --init {known.start}{within}")
    say(f"  from {known.origin}, {known.licence}, {size}")
    digits = "" if len(known.sha256) == 64 else " …"
    say(f"  colours {_colours(known)}; sha256 {known.sha256}{digits}")
    say(f"  {_where(known)}")


def _where(known: "Known") -> str:
    if known.file is not None:
        return f"here: {known.file} ({known.place})"
    if known.other is None:
        return "not here"
    return (
        f"not here: {known.other} is damaged or another file "
        f"({known.other.stat().st_size:,} bytes, or another digest): remove it, or copy it again"
    )


def _colours(known: "Known") -> str:
    """What pictures are brought to, red, green and blue from 0 to 1 before."""
    mean, std = (
        " ".join(dict.fromkeys(f"{value:.3g}" for value in values)) for values in known.colours
    )
    return "as they are" if (mean, std) == ("0", "1") else f"less {mean}, over {std}"


def _document(known: "Known") -> dict[str, object]:
    return {
        "net": known.net,
        "init": known.start,
        "within": list(known.within),
        "colours": {"mean": list(known.colours.mean), "std": list(known.colours.std)},
        "from": known.origin,
        "licence": known.licence,
        "bytes": known.length,
        "exact": known.exact,
        "sha256": known.sha256,
        "file": None if known.file is None else str(known.file),
        "place": known.place or None,
        "other": None if known.other is None else str(known.other),
    }
