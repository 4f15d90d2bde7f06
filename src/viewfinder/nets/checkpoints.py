"""Weights that others wrote: reading their files safely, and loading what fits.

A weight file may come from anywhere, so nothing here runs code found in one: `.safetensors` cannot
hold any, and torch's pickles are read by its restricted reader, which builds tensors alone.
"""

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from viewfinder.errors import InputError

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

# Where training scripts keep the weights within a larger checkpoint.
_NESTS = ("state_dict", "model_state_dict", "model")

# What data parallelism and torch.compile put before every name.
_PREFIXES = ("module.", "_orig_mod.")


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
        kinds = (self.loaded, self.partly, self.different, self.withheld, self.missing)
        parts = [f"loaded {len(self.loaded)} of {sum(map(len, kinds))} tensors"]
        parts += [
            f"{each.name} is {_shape(each.in_file)} in the file, {_shape(each.in_net)} in the net"
            for each in self.different
        ]
        for what, found in (
            ("loaded in part", self.partly),
            ("kept as new with their layer", self.withheld),
            ("not in the file", self.missing),
            ("not in the net", self.unexpected),
        ):
            if found:
                parts.append(f"{what}: {_few(found)}")
        return "; ".join(parts)


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a weight file by name, on the CPU, in the types they were saved in.

    Reads `.safetensors`, and what `torch.save` writes of a state dict or of a checkpoint with one
    under `state_dict`, `model_state_dict` or `model`. Prefixes that wrappers of a whole net put
    before every name, such as `module.`, are left away.

    Raises:
        InputError: there is no such file, it is damaged, holds no weights, or would have to run
            code to be read.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        raise InputError(f"cannot read the weights {path}: {error.strerror or error}") from error
    # A safetensors file is eight bytes of length and then JSON, whatever the file is called.
    if path.suffix == ".safetensors" or head[8:] == b"{":
        document = _read_safetensors(path)
    else:
        document = _read_torch(path, head)
    return _tensors(document, str(path))


def load_matching(net: nn.Module, state: Mapping[str, Tensor]) -> LoadReport:
    """Load into `net` the layers of `state` that fit by name and shape; leave the rest as it is.

    Raises:
        InputError: not one weight fits, so the file must be another net's.
    """
    ours = net.state_dict()
    shared = [name for name in ours if name in state]
    different = [name for name in shared if ours[name].shape != state[name].shape]
    broken = {_layer(name) for name in different}
    loaded = [name for name in shared if _layer(name) not in broken]
    # Counters of batches are scalars in every net with a batch norm: they prove no kinship.
    if not any(ours[name].is_floating_point() for name in loaded):
        raise InputError(
            f"none of these weights fit this net: the file has {_few(_described(state))}, "
            f"the net has {_few(_described(ours))}; choose the net that the file was made for"
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
    """torchvision's best ImageNet weights for net `name`, downloaded once and then kept.

    They fit `create(name)`. Those of googlenet expect pixels in [-1, 1]; for pictures normalised
    by ImageNet's mean and deviation, as the others take, create it with `transform_input=True`.

    Raises:
        InputError: there are none for this net, or they cannot be fetched.
    """
    if name not in _IMAGENET:
        raise InputError(
            f"there are no ImageNet weights for {name!r}; the nets that have them are: "
            f"{', '.join(_IMAGENET)}"
        )
    # Imported late: torchvision takes a second that no other use of the nets need pay.
    from torchvision.models import get_model_weights

    weights = get_model_weights(_IMAGENET[name]).DEFAULT
    try:
        document = weights.get_state_dict(check_hash=True, map_location="cpu", weights_only=True)
    except Exception as error:  # The network, its proxies and the cache fail in too many types.
        kept = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
        mend = f"remove {kept}, which is damaged" if kept.exists() else "see to the network"
        raise InputError(
            f"cannot get the ImageNet weights of {name} from {weights.url} ({_line(error)}): "
            f"{mend}, or fetch that file by other means and give its path instead"
        ) from error
    return _tensors(document, weights.url)


def _read_safetensors(path: Path) -> object:
    try:
        return safetensors.torch.load_file(path)
    except Exception as error:  # A foreign file may break a reader in any way.
        raise InputError(
            f"{path} is not a whole safetensors file ({_line(error)}): fetch or save it again"
        ) from error


def _read_torch(path: Path, head: bytes) -> object:
    try:
        with warnings.catch_warnings():
            # torch warns of what it then refuses: old pickle protocols, TorchScript archives.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # A foreign file may break a reader in any way.
        looks_whole = head.startswith((b"\x80", b"PK"))
        if looks_whole and (isinstance(error, pickle.UnpicklingError) or _is_program(path)):
            raise InputError(
                f"{path} was refused: it holds more than tensors, and Python objects in a file can "
                f"run any code when they are loaded; where the file was made, write "
                f"torch.save(net.state_dict(), 'weights.pt') and use that file"
            ) from error
        raise InputError(
            f"{path} is not a weight file that can be read, or it is damaged ({_line(error)}): "
            f"give a .safetensors file, or a .pt or .pth file that torch.save wrote"
        ) from error


def _is_program(path: Path) -> bool:
    """Whether this is a TorchScript archive, a net's code beside its weights."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(Path(name).name == "constants.pkl" for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _tensors(document: object, source: str) -> dict[str, Tensor]:
    """The tensors within a checkpoint, without its nesting and without wrappers' prefixes."""
    for _ in range(4):  # Deeper is no real checkpoint; a hostile one may hold itself.
        if not isinstance(document, Mapping):
            break
        nest = next((key for key in _NESTS if isinstance(document.get(key), Mapping)), None)
        if nest is None:
            break
        document = document[nest]
    if not isinstance(document, Mapping):
        raise InputError(
            f"{source} holds a {type(document).__name__}, not named weights: "
            f"save net.state_dict() instead"
        )
    state = {
        name: value.detach()
        for name, value in document.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }
    if not state:
        keys = _few([str(key) for key in document]) or "nothing"
        raise InputError(f"{source} holds no weights, only {keys}: save net.state_dict() instead")
    for name, tensor in state.items():
        if _is_exotic(tensor):
            raise InputError(
                f"{source} holds {name} in a form that no net here takes (sparse, quantised, "
                f"complex or without values): save the weights as plain tensors"
            )
    while prefix := next((p for p in _PREFIXES if all(n.startswith(p) for n in state)), None):
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def _is_exotic(tensor: Tensor) -> bool:
    plain = tensor.layout is torch.strided
    return not plain or tensor.is_quantized or tensor.is_complex() or tensor.is_meta


def _layer(name: str) -> str:
    return name.rpartition(".")[0] or name


def _described(state: Mapping[str, Tensor]) -> list[str]:
    return [f"{name} {_shape(tuple(tensor.shape))}" for name, tensor in state.items()]


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one number"


def _few(words: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(words) - 4} more" if len(words) > 4 else ""
    return ", ".join(words[:4]) + more


def _line(error: Any) -> str:
    """The first line of an error's text, or its kind where it has none."""
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
