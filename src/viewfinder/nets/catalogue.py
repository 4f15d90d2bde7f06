"""Every set of pretrained weights that nets can start from: whose, from where, and what is here."""

import os
from dataclasses import dataclass
from pathlib import Path

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets import published
from viewfinder.nets.facts import PLAIN, Colours, Download, Package
from viewfinder.nets.lying_here import FOLDER, here, is_whole
from viewfinder.nets.obtaining import coco_file, imagenet_file
from viewfinder.reading import read_bytes
from viewfinder.wording import likest


@dataclass(frozen=True)
class Known:
    """One set of weights.

    Attributes:
        net: whose layers they are; there is one set for each net.
        start: what `--init` calls them.
        within: other nets that have these layers, and start from them.
        colours: what they expect of pictures.
        origin: a package's name, an address, or "viewfinder itself".
        length: bytes of the file.
        exact: the length is known to the byte.
        sha256: the digest of the file, or its first digits.
        file: where it is on this machine, if it is here, and whole.
        place: where that is, in words.
        other: what lies in its place and is damaged, or another file.
    """

    net: str
    start: str
    within: tuple[str, ...]
    colours: Colours
    origin: str
    licence: str
    length: int
    exact: bool
    sha256: str
    file: Path | None
    place: str
    other: Path | None = None


def known_weights() -> list[Known]:
    """All of them, in the order of the nets; nothing is fetched.

    Raises:
        InputError: the variable that names a folder of weights names none.
    """
    found = []
    for net in nets.names():
        imagenet = nets.pretrained(net)
        if imagenet is not None:
            users = [name for name in nets.names() if _backbone(name) == net]
            found.append(_known(net, "imagenet", users, imagenet.colours, imagenet.source))
        elif net in published.COCO_NETS:
            found.append(_of_coco(net))
    return found


def get_weights(name: str) -> Path:
    """The file of a net's weights, or of those that its backbone starts from; fetched if need be.

    Raises:
        InputError: there are none, or they cannot be had.
    """
    by_net = {each.net: each for each in known_weights()}
    net = name if name in by_net or name not in nets.names() else _backbone(name) or name
    if net not in by_net:
        raise InputError(
            f"there are no pretrained weights called {name!r}{likest(name, by_net)}; there are: "
            f"{', '.join(by_net)}"
        )
    if by_net[net].start == "imagenet":
        return imagenet_file(net)
    return coco_file(net) or published.COCO_FILE


def _known(
    net: str, start: str, users: list[str], colours: Colours, source: Package | Download
) -> Known:
    if isinstance(source, Package):
        found, place, origin, exact = source.path(), "installed package", source.name, True
    else:
        found, origin, exact = here(source), source.url, source.exact
        place = _place(found)
    whole = found is not None and is_whole(found, source)
    return Known(
        *(net, start, tuple(users), colours, origin, source.licence, source.length, exact),
        *(source.sha256, found if whole else None, place if whole else ""),
        other=None if whole else found,
    )


def _of_coco(net: str) -> Known:
    download = published.coco_download(net)
    if download is not None:
        return _known(net, "coco", [], PLAIN, download)
    file = published.COCO_FILE
    digest = read_bytes(file.with_name(f"{file.name}.sha256")).decode("ascii").split()[0]
    return Known(
        *(net, "coco", (), PLAIN, "viewfinder itself", "public domain"),
        *(file.stat().st_size, True, digest, file, "comes with viewfinder"),
    )


def _place(file: Path | None) -> str:
    """In words, what kind of place a file lies in."""
    if file is None:
        return ""
    if (named := os.environ.get(FOLDER)) and file.parent == Path(named).expanduser():
        return FOLDER
    return "torch's cache" if file.parent.name == "checkpoints" else "cache"


def _backbone(net: str) -> str | None:
    within = nets.backbone(net)
    return None if within is None else within.net
