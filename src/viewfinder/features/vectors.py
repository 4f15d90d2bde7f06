"""Pictures as vectors: what a net's last layer is asked of, by which pictures can be compared.

Nets that have seen ImageNet describe any picture in some hundred numbers, and pictures that look
alike to a person lie close to each other (Donahue et al., "DeCAF", 2014).
"""

import contextlib
import copy
import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.crowding import at_once
from viewfinder.errors import InputError
from viewfinder.events import counting, note
from viewfinder.features.store import KEY, keep_vectors, kept_vectors
from viewfinder.wording import duration

Ask = Callable[[nn.Module, Tensor], Tensor]
"""A net's answer to N×3×H×W uint8 pictures, normalised and on its device as the net expects."""

_Found = dict[bytes, NDArray[np.float32]]
# Numbers of pictures, and what each extractor says of them.
_Batch = tuple[Sequence[int], list[NDArray[np.float32]]]

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


def make_extractor(
    net: nn.Module, ask: Ask, *, size: tuple[int, int], made: str, layer: str | None = None
) -> Extractor:
    """The extractor of a net in evaluation mode that ends in a linear layer.

    Args:
        size: width and height of the pictures that it is given.
        made: how pictures are brought to the net, in words: part of the name.
        layer: what `last_layer` says, where it was asked already.

    Raises:
        InputError: the net does not end in a linear layer.
    """
    layer = layer or last_layer(net, ask, size)
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
    """N×D: a vector for each picture, from the cache where it is known; see `views`."""
    return views([extractor], take, keys, description=description)[:, 0]


def views(
    extractors: Sequence[Extractor],
    take: Callable[[Sequence[int]], Tensor],
    keys: Sequence[bytes],
    *,
    description: str = "describing pictures",
) -> NDArray[np.float32]:
    """N×V×D: of each picture what each of V extractors of one net says; it is read once for all.

    From the cache where it is known. What is made is kept as it goes, so that whoever is stopped
    goes on from there; where it takes a while, a note says how long.

    Args:
        take: from numbers of pictures to B×3×H×W uint8; called from another thread.
        keys: digests of what each picture was made of, `KEY` bytes each.
    """
    assert all(len(key) == KEY for key in keys)
    known = [kept_vectors(each.name, each.width, keys) for each in extractors]
    lacking = [key for key in keys if any(key not in each for each in known)]
    first = {key: number for number, key in reversed(list(enumerate(keys)))}
    made = _made(extractors, take, {first[key]: key for key in lacking}, description)
    if not keys:
        return np.zeros((0, len(extractors), extractors[0].width), np.float32)
    found = [old | new for old, new in zip(known, made, strict=True)]
    return np.array([[each[key] for each in found] for key in keys], np.float32)


def _made(
    extractors: Sequence[Extractor],
    take: Callable[[Sequence[int]], Tensor],
    missing: Mapping[int, bytes],
    description: str,
) -> list[_Found]:
    """Of each extractor the vectors of pictures by their keys, each kept."""
    numbers = sorted(missing)
    size = _BATCH_ON_GPU if _is_on_gpu(extractors[0]) else _BATCH
    batches = [numbers[i : i + size] for i in range(0, len(numbers), size)]
    made: list[_Found] = [{} for _ in extractors]
    fresh: list[_Found] = [{} for _ in extractors]
    if not batches:
        return made
    began = kept = time.monotonic()
    slow, done = False, 0
    try:
        with (
            counting(total=len(numbers), description=description) as one_more,
            contextlib.closing(_in_turn(extractors, take, batches, size)) as described_ones,
        ):
            for batch, rows in described_ones:
                for each, row in zip(fresh, rows, strict=True):
                    each |= {missing[n]: vector for n, vector in zip(batch, row, strict=False)}
                for _ in batch:
                    one_more()
                done, now = done + len(batch), time.monotonic()
                if not slow and now - began >= _TELLING:
                    left = (now - began) / done * (len(numbers) - done)
                    if slow := left >= _TELLING:
                        note(
                            f"{description}: about {duration(left)} more; what is done is kept, "
                            "should it be stopped"
                        )
                if now - kept >= _OFTEN:
                    _keep(extractors, fresh, made)
                    kept = now
    finally:
        _keep(extractors, fresh, made)
    return made


def _keep(extractors: Sequence[Extractor], fresh: list[_Found], made: list[_Found]) -> None:
    """Write what is fresh, and move it to what is made."""
    for extractor, new, old in zip(extractors, fresh, made, strict=True):
        keep_vectors(extractor.name, new)
        old |= new
        new.clear()


def _in_turn(
    extractors: Sequence[Extractor],
    take: Callable[[Sequence[int]], Tensor],
    batches: Sequence[Sequence[int]],
    size: int,
) -> Generator[_Batch, None, None]:
    """Each batch with what each extractor says of it, `size` rows, in order.

    Each core has a batch of its own: cores that share one wait for each other at every layer, on a
    machine that does something else too for most of the time.
    """
    count = 1 if _is_on_gpu(extractors[0]) else min(at_once(), len(batches))
    free: SimpleQueue[Sequence[Extractor]] = SimpleQueue()
    for number in range(count):
        free.put(_copies(extractors) if number else extractors)

    def work(pictures: Tensor) -> list[NDArray[np.float32]]:
        own = free.get()
        try:
            return [described(each, pictures) for each in own]
        finally:
            free.put(own)

    if not batches:
        return
    with _single_cores(count) as pool:
        coming: deque[tuple[Sequence[int], Future[list[NDArray[np.float32]]]]] = deque()
        # Closed here, and not by whoever collects garbage, should it be stopped meanwhile.
        with contextlib.closing(_ahead(take, batches)) as read:
            for batch, pictures in read:
                coming.append((batch, pool.submit(work, _filled(pictures, size))))
                if len(coming) > count:
                    batch, rows = coming.popleft()
                    yield batch, rows.result()
        for batch, rows in coming:
            yield batch, rows.result()


def _copies(extractors: Sequence[Extractor]) -> list[Extractor]:
    """The same with a net of their own, as what is looked at within belongs to one thread."""
    net = copy.deepcopy(extractors[0].net)
    return [replace(each, net=net) for each in extractors]


@contextlib.contextmanager
def _single_cores(count: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads, in each of which torch computes on one core."""
    usual, ready = torch.get_num_threads(), threading.Barrier(count + 1)

    def begin() -> None:
        torch.get_num_threads()  # At its first question torch sets a thread up, over what follows.
        torch.set_num_threads(1)
        ready.wait()

    with ThreadPoolExecutor(count, initializer=begin) as pool:
        try:
            for _ in range(count):
                pool.submit(int)
            ready.wait()
        except BaseException:
            ready.abort()
            raise
        # What was set holds for these threads, and for those that begin later: for them not.
        torch.set_num_threads(usual)
        yield pool


def _is_on_gpu(extractor: Extractor) -> bool:
    return next(extractor.net.parameters()).is_cuda


def _ahead(
    take: Callable[[Sequence[int]], Tensor], batches: Sequence[Sequence[int]]
) -> Generator[tuple[Sequence[int], Tensor], None, None]:
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
