"""Pictures as vectors: what a net's last layer is asked of, by which pictures can be compared.

Nets that have seen ImageNet describe any picture in some hundred numbers, and pictures that look
alike to a person lie close to each other (Donahue et al., "DeCAF", 2014).
"""

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.errors import InputError
from viewfinder.events import note, track
from viewfinder.features.store import KEY, keep_vectors, kept_vectors
from viewfinder.wording import duration

Ask = Callable[[nn.Module, Tensor], Tensor]
"""A net's answer to N×3×H×W uint8 pictures, normalised and on its device as the net expects."""

# Pictures at a time. On a CPU few: maps then stay in its caches (lite0 at 160×160, folded, a core:
# 12 ms a picture one by one, 9 by fours, 10 by sixteens). There are always as many, so that a
# vector does not depend, in its last bits, on which others were known already.
_BATCH, _BATCH_ON_GPU = 4, 64
# Seconds after which it is said how long it takes, and between two writings.
_TELLING, _OFTEN = 3.0, 5.0


@dataclass(frozen=True, eq=False)
class Extractor:
    """A net, and the linear layer whose inputs are the vectors.

    Attributes:
        layer: the layer's name within the net.
        ask: how the net is given pictures.
        name: a digest of all that the vectors depend on besides the pictures.
    """

    net: nn.Module
    layer: str
    ask: Ask
    name: str

    @property
    def width(self) -> int:
        return int(_linear(self.net, self.layer).in_features)


def make_extractor(net: nn.Module, ask: Ask, *, size: tuple[int, int], made: str) -> Extractor:
    """The extractor of a net in evaluation mode that ends in a linear layer.

    Args:
        size: width and height of the pictures that it is given.
        made: how pictures are brought to the net, in words: part of the name.

    Raises:
        InputError: the net does not end in a linear layer.
    """
    layer = last_layer(net, ask, size)
    if layer is None:
        raise InputError(
            "this network does not end in a linear layer, so it has no vectors to give"
        )
    digest = hashlib.blake2b(f"{made} {size} {layer}".encode(), digest_size=16)
    for name, tensor in net.state_dict().items():
        if not name.startswith(f"{layer}."):
            digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return Extractor(net, layer, ask, digest.hexdigest())


def last_layer(net: nn.Module, ask: Ask, size: tuple[int, int]) -> str | None:
    """The name of the linear layer whose outputs are the net's answer; None where there is none."""
    made: dict[str, Tensor] = {}

    def note_output(name: str) -> Callable[..., None]:
        return lambda _, __, output: made.update({name: output})

    linear = [(name, m) for name, m in net.named_modules() if isinstance(m, nn.Linear)]
    with contextlib.ExitStack() as hooks:
        for name, module in linear:
            hooks.callback(module.register_forward_hook(note_output(name)).remove)
        answer = ask(net, torch.zeros(1, 3, size[1], size[0], dtype=torch.uint8))
    for name, output in made.items():
        if output is answer:
            return name
    return None


def vectors(
    extractor: Extractor,
    take: Callable[[Sequence[int]], Tensor],
    keys: Sequence[bytes],
    *,
    description: str = "describing pictures",
) -> NDArray[np.float32]:
    """N×D: a vector for each picture, from the cache where it is known.

    What is made is kept as it goes, so that whoever is stopped goes on from there; where it takes a
    while, a note says how long.

    Args:
        take: from numbers of pictures to B×3×H×W uint8; called from another thread.
        keys: digests of what each picture was made of, `KEY` bytes each.
    """
    assert all(len(key) == KEY for key in keys)
    known = kept_vectors(extractor.name, extractor.width, keys)
    first = {key: number for number, key in reversed(list(enumerate(keys))) if key not in known}
    known |= _made(extractor, take, {number: key for key, number in first.items()}, description)
    if not keys:
        return np.zeros((0, extractor.width), np.float32)
    return np.stack([known[key] for key in keys])


def _made(
    extractor: Extractor,
    take: Callable[[Sequence[int]], Tensor],
    missing: Mapping[int, bytes],
    description: str,
) -> dict[bytes, NDArray[np.float32]]:
    """The vectors of pictures by their keys, each kept."""
    on_gpu = next(extractor.net.parameters()).is_cuda
    numbers = sorted(missing)
    size = _BATCH_ON_GPU if on_gpu else _BATCH
    batches = [numbers[i : i + size] for i in range(0, len(numbers), size)]
    made: dict[bytes, NDArray[np.float32]] = {}
    fresh: dict[bytes, NDArray[np.float32]] = {}
    began = kept = time.monotonic()
    slow = False
    try:
        for done, (batch, pictures) in enumerate(
            track(_ahead(take, batches), total=len(batches), description=description), 1
        ):
            rows = described(extractor, _filled(pictures, size))[: len(batch)]
            fresh |= {missing[n]: vector for n, vector in zip(batch, rows, strict=True)}
            now = time.monotonic()
            if not slow and now - began >= _TELLING:
                left = (now - began) / done * (len(batches) - done)
                if slow := left >= _TELLING:
                    note(
                        f"{description}: about {duration(left)} more; what is done is kept, should "
                        "it be stopped"
                    )
            if now - kept >= _OFTEN:
                keep_vectors(extractor.name, fresh)
                made, fresh, kept = made | fresh, {}, now
    finally:
        keep_vectors(extractor.name, fresh)
    return made | fresh


def _ahead(
    take: Callable[[Sequence[int]], Tensor], batches: Sequence[Sequence[int]]
) -> Iterator[tuple[Sequence[int], Tensor]]:
    """Each batch with its pictures, which are read while the net computes those before."""
    with ThreadPoolExecutor(1) as pool:
        coming = [pool.submit(take, batch) for batch in batches[:1]]
        for place, batch in enumerate(batches):
            pictures = coming.pop().result()
            coming = [pool.submit(take, each) for each in batches[place + 1 : place + 2]]
            yield batch, pictures


def _filled(pictures: Tensor, size: int) -> Tensor:
    """So many pictures, the first of them again where there are fewer."""
    return torch.cat([pictures, pictures[:1].expand(size - len(pictures), -1, -1, -1)])


def described(extractor: Extractor, pictures: Tensor) -> NDArray[np.float32]:
    """B×D: a vector for each of B×3×H×W pictures, made anew and not kept."""
    with _inputs_of(_linear(extractor.net, extractor.layer)) as seen, torch.no_grad():
        extractor.ask(extractor.net, pictures)
    return seen[0].float().cpu().numpy()


@contextlib.contextmanager
def _inputs_of(layer: nn.Module) -> Iterator[list[Tensor]]:
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    try:
        yield seen
    finally:
        hook.remove()


def _linear(net: nn.Module, layer: str) -> nn.Linear:
    module = net.get_submodule(layer)
    assert isinstance(module, nn.Linear)
    return module
