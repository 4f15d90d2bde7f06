"""Weights that others made: loading of them what fits a net. `weight_files` reads their files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from viewfinder.errors import InputError
from viewfinder.nets.weight_files import few
from viewfinder.wording import counted

# Tensors of a kind that are told one by one.
_TOLD = 2
# Share of a file's tensors that may be unknown to a net; GoogLeNet's auxiliary heads are fewer.
_STRANGE = 0.15
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

    @property
    def doubtful(self) -> bool:
        """Whether so much does not fit that the weights may be another net's."""
        new = sum(not is_counter(name) for name in self.missing) + len(self.different)
        return new > _STRANGE * (new + len(self.loaded)) or any(self._doubts())

    def __str__(self) -> str:
        missing = tuple(name for name in self.missing if not is_counter(name))
        withheld = tuple(name for name in self.withheld if not is_counter(name))
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
            ("kept as new with their layer", withheld),
            ("not in the file", missing),
            ("not in the net", self.unexpected),
        ):
            if found:
                parts.append(f"{what}: {few(found, _TOLD)}")
        return "; ".join(parts)

    def _doubts(self) -> Iterator[str]:
        """That the file is likely another net's, and that most of this one starts anew."""
        known = (*self.loaded, *self.partly, *self.withheld, *self.different)
        strange = [name for name in self.unexpected if not is_counter(name)]
        if len(strange) > _STRANGE * (len(known) + len(self.unexpected)):
            yield (
                f"{counted(len(strange), 'tensor')} of the file "
                f"{'has' if len(strange) == 1 else 'have'} no place in this net, so it was likely "
                "made for another one, and what was loaded may not work together"
            )
        missing = [name for name in self.missing if not is_counter(name)]
        new = len(missing) + len(self.different) + len(self.withheld)
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
            f"none of these weights fit this net: the file has {few(_described(state), _TOLD)}, "
            f"the net has {few(_described(ours), _TOLD)}; choose the net that the file was made for"
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


def is_counter(name: str) -> bool:
    """Whether a tensor is a norm's count of batches, which is no weight."""
    return name.endswith(_COUNTER)


def _all_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _layer(name: str) -> str:
    return name.rpartition(".")[0] or name


def _described(state: Mapping[str, Tensor]) -> list[str]:
    return [f"{name} {_shape(tuple(tensor.shape))}" for name, tensor in state.items()]


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one number"
