"""Weights that others made: loading of them what fits a net, and ImageNet's.

`weight_files` reads their files.
"""

import threading
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.nets.packaged import PACKAGES, packaged_weights
from viewfinder.nets.weight_files import few, first_line, tensors_in
from viewfinder.wording import counted

# Our nets that torchvision publishes ImageNet weights for, by its name for the same layout.
_IMAGENET = {
    "vgg16": "vgg16_bn",
    "googlenet": "googlenet",
    "resnet18": "resnet18",
    "resnet34": "resnet34",
    "resnet50": "resnet50",
    "resnet101": "resnet101",
    "resnet152": "resnet152",
}

# Tensors of other shapes that a report tells one by one.
_TOLD = 4
# Share of a file's tensors that may be unknown to a net; GoogLeNet's auxiliary heads are fewer.
_STRANGE = 0.15
# Seconds that a server has to answer before its weights are fetched.
_PATIENCE = 3.0
# What a norm counts is no weight, and many files are without it.
_COUNTER = "num_batches_tracked"


@dataclass(frozen=True)
class ShapeDifference:
    """A tensor that both sides have under one name, in two shapes."""

    name: str
    in_net: tuple[int, ...]
    in_file: tuple[int, ...]


@dataclass(frozen=True)
class LoadReport:
    """What became of every tensor of a net and of a file, by name.

    A layer is loaded whole or not at all: `withheld` are tensors that fit, but whose layer has
    another in `different`, such as the bias of a head with other inputs. A task may make an
    exception of its last layers, and load of these what is of the same class: `partly`.
    """

    loaded: tuple[str, ...]
    different: tuple[ShapeDifference, ...]
    withheld: tuple[str, ...]
    missing: tuple[str, ...]  # in the net, not in the file
    unexpected: tuple[str, ...]  # in the file, not in the net
    partly: tuple[str, ...] = ()

    def __str__(self) -> str:
        missing = tuple(name for name in self.missing if not name.endswith(_COUNTER))
        kinds = (self.loaded, self.partly, self.different, self.withheld, missing)
        parts = [f"loaded {len(self.loaded)} of {sum(map(len, kinds))} tensors", *self._doubts()]
        parts += [
            f"{each.name} is {_shape(each.in_file)} in the file, {_shape(each.in_net)} in the net"
            for each in self.different[:_TOLD]
        ]
        if len(self.different) > _TOLD:
            parts.append(f"{len(self.different) - _TOLD} more have other shapes")
        for what, found in (
            ("loaded in part", self.partly),
            ("kept as new with their layer", self.withheld),
            ("not in the file", missing),
            ("not in the net", self.unexpected),
        ):
            if found:
                parts.append(f"{what}: {few(found)}")
        return "; ".join(parts)

    def _doubts(self) -> Iterator[str]:
        """That the file is likely another net's, and that most of this one starts anew."""
        known = (*self.loaded, *self.partly, *self.withheld, *self.different)
        strange = [name for name in self.unexpected if not name.endswith(_COUNTER)]
        if len(strange) > _STRANGE * (len(known) + len(self.unexpected)):
            yield (
                f"{counted(len(strange), 'tensor')} of the file "
                f"{'has' if len(strange) == 1 else 'have'} no place in this net, so it was likely "
                "made for another one, and what was loaded may not work together"
            )
        new = len(self.missing) + len(self.different) + len(self.withheld)
        if new > len(self.loaded) + len(self.partly):
            start = "starts" if new == 1 else "start"
            yield f"{counted(new, 'tensor')} {start} anew, which is most of the net"


def load_matching(net: nn.Module, state: Mapping[str, Tensor]) -> LoadReport:
    """Load into `net` the layers of `state` that fit by name and shape; leave the rest as it is.

    Raises:
        InputError: not one weight fits, so the file must be another net's; or one that does is
            not a number.
    """
    ours = net.state_dict()
    shared = [name for name in ours if name in state]
    different = [name for name in shared if ours[name].shape != state[name].shape]
    broken = {_layer(name) for name in different}
    loaded = [name for name in shared if _layer(name) not in broken]
    # Counters of batches are scalars in every net with a batch norm: they prove no kinship.
    if not any(ours[name].is_floating_point() for name in loaded):
        raise InputError(
            f"none of these weights fit this net: the file has {few(_described(state))}, "
            f"the net has {few(_described(ours))}; choose the net that the file was made for"
        )
    broken_numbers = [name for name in loaded if not _all_finite(state[name])]
    if broken_numbers:
        raise InputError(
            f"these weights hold NaN or infinite numbers, in {few(broken_numbers)}: the training "
            "that wrote them went wrong, so use a checkpoint from before that"
        )
    net.load_state_dict({name: state[name] for name in loaded}, strict=False)
    return LoadReport(
        loaded=tuple(loaded),
        different=tuple(
            ShapeDifference(name, tuple(ours[name].shape), tuple(state[name].shape))
            for name in different
        ),
        withheld=tuple(n for n in shared if n not in different and _layer(n) in broken),
        missing=tuple(name for name in ours if name not in state),
        unexpected=tuple(name for name in state if name not in ours),
    )


def imagenet_weights(name: str) -> dict[str, Tensor]:
    """The ImageNet weights of net `name`: out of an installed package, or torchvision's best,
    downloaded once and then kept.

    They fit `create(name)`. Those of googlenet expect pixels in [-1, 1]; for pictures normalised
    by ImageNet's mean and deviation, as the others take, create it with `transform_input=True`.

    Raises:
        InputError: there are none for this net, or they cannot be fetched.
    """
    if name in PACKAGES:
        state = packaged_weights(name)
        note(f"ImageNet weights of {name} from the package {PACKAGES[name].name}")
        return state
    require_imagenet(name)
    weights = _published(name)
    try:
        document = weights.get_state_dict(check_hash=True, map_location="cpu", weights_only=True)
    except Exception as error:  # The network, its proxies and the cache fail in too many types.
        raise _unfetched(name, error) from error
    return tensors_in(document, weights.url)


def require_imagenet(name: str) -> None:
    """See within seconds that `imagenet_weights` has what it needs.

    Raises:
        InputError: there are no weights for this net; or they are not here, and their server does
            not answer.
    """
    if name in PACKAGES:
        return
    if name not in _IMAGENET:
        raise InputError(
            f"there are no ImageNet weights for {name!r}; the nets that have them are: "
            f"{', '.join((*_IMAGENET, *PACKAGES))}"
        )
    if _kept(name).exists():
        return
    try:
        _require_answer(_published(name).url)
    except Exception as error:
        raise _unfetched(name, error) from error


def _published(name: str) -> Any:
    # Imported late: torchvision takes a second that no other use of the nets need pay.
    from torchvision.models import get_model_weights

    return get_model_weights(_IMAGENET[name]).DEFAULT


def _kept(name: str) -> Path:
    """Where torch keeps the file once it is fetched."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(_published(name).url).name


def _unfetched(name: str, error: Exception) -> InputError:
    kept = _kept(name)
    mend = f"remove {kept}, which is damaged" if kept.exists() else "see to the network"
    return InputError(
        f"cannot get the ImageNet weights of {name} from {_published(name).url} "
        f"({first_line(error)}): {mend}, or fetch that file by other means and give its path "
        "instead"
    )


def _require_answer(url: str) -> None:
    """See within seconds that a server can be reached: to connect may take minutes to fail.

    Raises:
        OSError: it cannot.
    """
    failed: list[Exception] = [TimeoutError(f"no answer within {_PATIENCE:g} s")]

    def ask() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")
            urllib.request.urlopen(request, timeout=_PATIENCE).close()
            failed.clear()
        except Exception as error:
            failed[:] = [error]

    # Beside this thread, since looking a name up heeds no timeout.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    if failed:
        raise failed[0]


def is_imagenet(name: str, state: Mapping[str, Tensor]) -> bool:
    """Whether weights are a whole net `name` for the 1000 classes of ImageNet.

    Those that are published are, in a file of any name; auxiliary heads need not be there.
    """
    if name not in _IMAGENET and name not in PACKAGES:
        return False
    options = {"auxiliary": False} if name == "googlenet" else {}
    with torch.device("meta"):
        layout = nets.create(name, **options).state_dict()
    return all(
        found is not None and found.shape == tensor.shape
        for own, tensor in layout.items()
        if tensor.is_floating_point()
        for found in (state.get(own),)
    )


def _all_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _layer(name: str) -> str:
    return name.rpartition(".")[0] or name


def _described(state: Mapping[str, Tensor]) -> list[str]:
    return [f"{name} {_shape(tuple(tensor.shape))}" for name, tensor in state.items()]


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one number"
