"""The way in which this processor computes a net's answers soonest: the same but for rounding.

Three ways are known: torch as the net is written; the same with its layers fused
(`nets.fusing`); and ONNX Runtime, whose program takes seconds to make, so that it is tried only
where much is asked. Which is the quickest is measured on the first picture, once for each processor
and kind of net, in steps that the ways take in turn, and remembered. That a way answers as the net
does is seen each time.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import Literal

import torch
from torch import Tensor, nn

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.inference.onnx_files import Session, open_session
from viewfinder.inference.tracing import require_libraries, traced
from viewfinder.nets.fusing import fused_forward
from viewfinder.tasks.answering import Answering
from viewfinder.tasks.measured import measured_file, processor, recall, remember
from viewfinder.tasks.model import Model, ModelConfig
from viewfinder.values import as_number, as_table

Way = Literal["plain", "fused", "onnxruntime"]
Forward = Callable[[Tensor], object]
"""N×3×H×W float32 to what a net gives: a tensor, or several in some nest."""

# Rounds in which the ways take a step in turn, of which the quickest counts.
_ROUNDS = 3
# Another way than the fused one must be this much faster: else the choice, and with it the last
# bits of answers, would follow what else the machine does.
_GAIN = 1.25
# The largest difference, as a share of the largest value: sums in another order.
_AGREEMENT = 1e-4
# Seconds of computing from which on ONNX Runtime is tried.
_LONG = 60.0


def quick_net(model: Model, device: torch.device, *, pictures: int | None = None) -> nn.Module:
    """As `Model.load_on`, for answers alone: on a CPU it computes in the quickest way.

    Args:
        pictures: how many it will be asked about, if that is known.

    Raises:
        InputError: as `Model.load_on`.
    """
    net = model.load_on(device)
    if device.type == "cpu" and not isinstance(net, Answering):
        # The net keeps its class and its attributes, which say how its outputs are read.
        net.forward = _Quick(net, model.config, pictures)
    return net


class _Quick:
    """A net's forward pass, in the way that is found to be the quickest at its first pictures."""

    def __init__(self, net: nn.Module, config: ModelConfig, pictures: int | None) -> None:
        self._net, self._config, self._pictures = net, config, pictures
        self._plain: Forward = net.forward
        self._chosen: Forward | None = None

    def __call__(self, pictures: Tensor) -> object:
        asked = pictures.dtype == torch.float32 and pictures.device.type == "cpu"
        if not asked or torch.is_grad_enabled():
            return self._plain(pictures)
        if self._chosen is None:
            self._chosen = self._choose(pictures[:1])
        return self._chosen(pictures)

    def _choose(self, picture: Tensor) -> Forward:
        fused = fused_forward(self._net)
        answer = self._plain(picture)
        if fused is None or not _agrees(fused(picture), answer):
            return self._plain
        ways: dict[Way, Forward] = {"plain": self._plain, "fused": fused}
        depends = _depends(self._config)
        file = measured_file(depends)
        known = _known(recall(file))
        if not {"plain", "fused"} <= known.keys():
            known = _milliseconds(ways, picture)
            remember(file, {"milliseconds": known}, depends)
        best: Way = "plain" if known["plain"] * _GAIN < known["fused"] else "fused"
        left = (self._pictures or 0) * known[best] / 1e3
        # Where it was no faster before, it is not asked again.
        faster = known.get("onnxruntime", 0.0) * _GAIN < known[best]
        if left < _LONG or not faster or not self._has_onnxruntime():
            return ways[best]
        try:
            ways["onnxruntime"] = _OnnxRuntime(self._net, self._config, ways[best], answer)
        except (InputError, RuntimeError) as error:
            note(f"onnxruntime cannot compute this net, so torch does: {str(error)[:120]}")
            return ways[best]
        if not _agrees(ways["onnxruntime"](picture), answer):
            return ways[best]
        known |= _milliseconds({way: ways[way] for way in (best, "onnxruntime")}, picture)
        remember(file, {"milliseconds": known}, depends)
        return ways["onnxruntime" if known["onnxruntime"] * _GAIN < known[best] else best]

    def _has_onnxruntime(self) -> bool:
        try:
            require_libraries()
        except InputError:
            note("computing with torch, as onnxruntime, which may be faster, is not installed")
            return False
        return True


class _OnnxRuntime:
    """A net's forward pass by ONNX Runtime, at the size of its model; at others in another way."""

    def __init__(
        self, net: nn.Module, config: ModelConfig, otherwise: Forward, answer: object
    ) -> None:
        names = [f"output_{number}" for number, _ in enumerate(_tensors(answer))]
        with torch.no_grad():
            program = traced(_Written(net), names, config.size)
        self._session: Session = open_session(program)
        self._size, self._otherwise, self._answer = config.size[::-1], otherwise, answer

    def __call__(self, pictures: Tensor) -> object:
        if tuple(pictures.shape[2:]) != self._size:
            return self._otherwise(pictures)
        found = self._session.run(None, {"pictures": pictures.contiguous().numpy()})
        return _like(self._answer, iter([torch.from_numpy(each) for each in found]))


class _Written(nn.Module):
    """A net as it is written, whatever forward pass it was given."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pictures: Tensor) -> object:
        return type(self.net).forward(self.net, pictures)


def _depends(config: ModelConfig) -> dict[str, object]:
    """All on which the times depend."""
    return {
        "answers": True,
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "torch": version("torch"),
        "onnxruntime": _version_of_onnxruntime(),
        "net": config.net,
        "options": dict(config.options),
        "classes": len(config.classes),
        "size": list(config.size),
    }


def _version_of_onnxruntime() -> str | None:
    try:
        return version("onnxruntime")
    except PackageNotFoundError:
        return None


def _known(document: object) -> dict[Way, float]:
    """The milliseconds that were remembered of each way; none where that is not what was kept."""
    try:
        found = as_table(as_table(document)["milliseconds"])
        ways: tuple[Way, ...] = ("plain", "fused", "onnxruntime")
        return {way: as_number(found[way]) for way in ways if way in found}
    except (KeyError, ValueError, TypeError):
        return {}


def _milliseconds(ways: Mapping[Way, Forward], picture: Tensor) -> dict[Way, float]:
    """Of each way's quickest step, where each has taken one already, which made what it keeps."""
    found = dict.fromkeys(ways, float("inf"))
    for _ in range(_ROUNDS):
        for way, forward in ways.items():
            begun = perf_counter()
            forward(picture)
            found[way] = min(found[way], 1e3 * (perf_counter() - begun))
    return found


def _tensors(answer: object) -> Iterator[Tensor]:
    """The tensors of what a net gives, in order."""
    if isinstance(answer, Tensor):
        yield answer
    elif isinstance(answer, (list, tuple)):
        for part in answer:
            yield from _tensors(part)


def _like(answer: object, found: Iterator[Tensor]) -> object:
    """Other tensors in the nest of `answer`."""
    if isinstance(answer, (list, tuple)):
        parts = [_like(part, found) for part in answer]
        make: Callable[..., object] = type(answer)
        # A named tuple takes them one by one.
        return make(*parts) if hasattr(answer, "_fields") else make(parts)
    return next(found)


def _agrees(one: object, other: object) -> bool:
    """Whether two answers are the same but for rounding."""
    pairs = zip(_tensors(one), _tensors(other), strict=True)
    return all(_close(mine, theirs) for mine, theirs in pairs)


def _close(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    largest = float(other.abs().max()) if other.numel() else 0.0
    return bool((one - other).abs().le(_AGREEMENT * max(1.0, largest)).all())
