"""What `explain --shift --compare` does: trains four variants of a net, and measures each."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.events import listening, note
from viewfinder.position.comparison import VARIANTS, PositionComparison, Variant
from viewfinder.position.measuring import (
    MeasuredNet,
    MeasuredPictures,
    explained,
    load_pictures,
    ready,
    subject_of_run,
)
from viewfinder.position.sensitivity import ComparedStage, Sensitivity, measure_position
from viewfinder.position.stages import choose_stages
from viewfinder.tasks import recipe_of
from viewfinder.training.train import train
from viewfinder.wording import counted

DATA = "tabletop"
# LeNet then trains 20 times in a few minutes on one core, and its differences are clear.
SEEDS, EPOCHS = 5, 25
# The usual augmentation; 3 of LeNet's 32 pixels.
_SHIFT = 0.1


@dataclass(frozen=True)
class Trainings:
    """What is trained: a net on square pictures, so often; where runs are kept, if they are."""

    net: str
    size: int
    epochs: int
    seeds: int
    kept: Path | None


@dataclass(frozen=True)
class Probe:
    """What is measured of each, the same for all."""

    pictures: MeasuredPictures
    stages: tuple[ComparedStage, ...]
    largest: int


def compare(
    target: str | None,
    *,
    largest: int,
    side: int | None = None,
    seeds: int = SEEDS,
    epochs: int = EPOCHS,
    out: Path | None = None,
) -> tuple[PositionComparison, list[list[str | None]]]:
    """Train the four variants of `target` for each seed, and move the test pictures.

    Args:
        largest: the largest shift in pixels.
        side: of the square that pictures are brought to; the net's own if None.
        out: where the runs are kept, and resumed; nowhere if None.

    Returns:
        the comparison, and the folder of each run, by variant and seed, None where not kept.

    Raises:
        InputError: a net that cannot shrink in both ways, or a shift, side, count or folder that
            cannot be used.
    """

    net = _with_downsample(target)
    trainings = Trainings(net, side or nets.input_size(net)[0], epochs, seeds, out)
    _require(trainings, largest)
    probe = _probe(trainings, largest)
    note(
        f"training {net} {len(VARIANTS) * seeds} times on {DATA}, {counted(epochs, 'epoch')} each, "
        f"at {trainings.size}×{trainings.size}"
    )
    found: dict[Variant, list[Sensitivity]] = {variant: [] for variant in VARIANTS}
    runs: list[list[str | None]] = [[] for _ in VARIANTS]
    began = time.perf_counter()
    # Seed by seed, so that what has been reported so far is of all four.
    for seed in range(seeds):
        for number, variant in enumerate(VARIANTS):
            with _place(out, f"{_name(variant)}-seed-{seed}") as place:
                found[variant].append(_measured(trainings, variant, seed, place, probe))
            runs[number].append(str(place) if out else None)
            _report(trainings, variant, found, time.perf_counter() - began)
    reach = _SHIFT * trainings.size
    return PositionComparison(net, DATA, epochs, reach, tuple(range(seeds)), found), runs


def _with_downsample(target: str | None) -> str:
    """The target, where it is a net that takes either.

    Raises:
        InputError: it is not; the nets that are get named.
    """

    fitting = [name for name in nets.names("classify") if "downsample" in nets.options(name)]
    if target in fitting:
        return target
    said = "say which net" if target is None else f"{target} has no option downsample"
    raise InputError(f"{said}: --compare trains {', '.join(fitting)}")


def _require(trainings: Trainings, largest: int) -> None:
    """Refuse what would only fail once everything is trained."""
    if not 1 <= largest < trainings.size:
        raise InputError(
            f"--shift {largest}: --compare moves pictures of {trainings.size}×{trainings.size}, "
            f"so give 1 to {trainings.size - 1}"
        )
    if trainings.seeds < 1:
        raise InputError(f"--seeds {trainings.seeds}: give 1 or more; answers need 3 or more")
    if trainings.epochs < 1:
        raise InputError(f"--epochs {trainings.epochs}: give 1 or more")


def _probe(trainings: Trainings, largest: int) -> Probe:
    """The pictures and the stages of all, before anything is trained.

    Raises:
        InputError: the net does not take pictures of this size.
    """

    sized = {"size": trainings.size} if "size" in nets.options(trainings.net) else {}
    pooled, strided = (
        nets.create(trainings.net, downsample=how, **sized).eval() for how in ("pool", "stride")
    )
    explanations = [
        explained(MeasuredNet(trainings.net, net, trainings.size, (), (), None, None))
        for net in (pooled, strided)
    ]
    # All of them: to measure takes a twentieth of what it takes to train.
    pictures = load_pictures(DATA, trainings.size)
    names = dict(strided.named_modules())
    stages = choose_stages(pooled, explanations[0], pictures.pixels[:1])
    return Probe(pictures, tuple(stage for stage in stages if stage.name in names), largest)


@contextlib.contextmanager
def _place(out: Path | None, name: str) -> Iterator[Path]:
    """Where a run goes: into a folder that stays, or one that does not."""
    if out is not None:
        yield out / name
        return
    with tempfile.TemporaryDirectory(prefix="viewfinder-") as folder:
        yield Path(folder) / name


def _name(variant: Variant) -> str:
    return f"{variant.downsample}-shifts" if variant.augmented else variant.downsample


def _measured(
    trainings: Trainings, variant: Variant, seed: int, place: Path, probe: Probe
) -> Sensitivity:

    recipe = recipe_of("classify").from_json(
        {
            "net": trainings.net,
            "options": (f"downsample={variant.downsample}",),
            "size": trainings.size,
            "epochs": trainings.epochs,
            "seed": seed,
            "precision": "32",
            "shift": _SHIFT if variant.augmented else 0.0,
            "scale": 0.0,
            "turn": 0.0,
            "flip": 0.0,
        }
    )
    # What each training reports would bury what is reported of the whole.
    with listening():
        train("classify", DATA, recipe, out=place, resume=trainings.kept is not None)
    subject = subject_of_run(place)
    pixels, labels = ready(probe.pictures, subject)
    return measure_position(
        subject.net, pixels, stages=probe.stages, largest=probe.largest, labels=labels
    )


def _report(
    trainings: Trainings, variant: Variant, found: dict[Variant, list[Sensitivity]], seconds: float
) -> None:
    """How far it is, what came of the last training, and how long the rest may take."""
    done, total = sum(map(len, found.values())), len(found) * trainings.seeds
    first, last = found[variant][-1].steps[0], found[variant][-1].steps[-1]
    note(
        f"{done:>3}/{total}  {_name(variant):<13}  seed {len(found[variant]) - 1}  "
        f"{first.accuracy or 0:.1%} right, {last.flips or 0:.1%} change at {last.shift} px  "
        f"{_duration(seconds / done * (total - done))} to go"
    )


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
