"""About how long the demonstration will take on this machine: a little of each kind of work, timed.

What is rendered, and the steps of the training, take nearly all the time, and are tried. The other
stages go through the same pictures, and take about as long as so many of them take to be rendered.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from viewfinder import nets
from viewfinder.cpu import cpu_features
from viewfinder.demo import learning
from viewfinder.demo.setting import DemoSetting
from viewfinder.devices import pick_device
from viewfinder.features.vectors import described
from viewfinder.memory import keep_freed
from viewfinder.tabletop import CLASSES, SceneOptions, TurntableOptions
from viewfinder.tabletop.scenes import render_scene
from viewfinder.tabletop.turntable import render_turntable
from viewfinder.tasks.detect.opinion.forming import MOST_CROPS
from viewfinder.tasks.detect.opinion.second import SIDE, crop_extractor
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.training.batches import steps_per_epoch

# Seconds of other work, in those of rendering one picture of a thing on its stand.
_WRITTEN = 0.4  # for each frame: the video and the masks
_TAKEN, _PROPOSED, _COMPOSED = 0.2, 1.6, 0.25  # for each picture, and for each scene
# Beside the bare step: making the batch, the loss and the optimiser; then measuring and the report.
_AROUND_A_STEP = 1.2
_AROUND_A_TRAINING = 1.1
# Of a scene so many things are judged by the second opinion; and the crops that take as long to be
# described as it takes to solve its layer.
_JUDGED, _SOLVED = 9, 300
_CROPS = 8
# Sides of pictures while they are shown small.
_SMALL = 0.75


def expected(setting: DemoSetting) -> dict[str, float]:
    """Seconds that each stage should take here, by the first word of its name."""
    cores = cpu_features().threads
    picture, scene = _seconds_of_a_picture(setting), _seconds_of_a_scene(setting)
    things = len(CLASSES) * setting.things
    taken = things * min(setting.frames, setting.turn)
    batch, full = learning.recipe(setting).batch, _seconds_of_a_full_step(setting)
    crop = _seconds_of_a_crop()
    return {
        "film": things * (setting.turn * (1 + _WRITTEN) + 1) * picture / cores,
        "take": taken * _TAKEN * picture,
        "propose": taken * _PROPOSED * picture / cores,
        "accept": 0.0,
        "compose": setting.composed * _COMPOSED * picture / cores,
        "train": training(setting, crop=crop, full=full),
        # An answer, of two, is about a third of a step, which goes back as well.
        "score": setting.unseen * (scene / cores + 2 * full / (3 * batch) + _JUDGED * crop),
        "answer": 0.0,
    }


def training(
    setting: DemoSetting, *, crop: float | None = None, full: float | None = None
) -> float:
    """Seconds that the training should take, as its steps are now.

    Args:
        crop, full: seconds of a crop, and of a step at its full size, where they were just timed.
    """
    recipe = learning.recipe(setting)
    full = _seconds_of_a_full_step(setting) if full is None else full
    small = _seconds_of_a_step(max(32, round(setting.size * _SMALL / 32) * 32), recipe.batch)
    step = _AROUND_A_STEP * (recipe.small * small + (1 - recipe.small) * full)
    steps = setting.epochs * steps_per_epoch(setting.composed, recipe.batch)
    crop = _seconds_of_a_crop() if crop is None else crop
    return _AROUND_A_TRAINING * steps * step + _crops_of(setting, recipe) * crop


def _seconds_of_a_full_step(setting: DemoSetting) -> float:
    side = max(32, round(setting.size / 32) * 32)
    return _seconds_of_a_step(side, learning.recipe(setting).batch)


def _crops_of(setting: DemoSetting, recipe: DetectRecipe) -> float:
    """Described to learn the second opinion, to fit it, and to measure what was learnt by it."""
    held_out = (recipe.val_share or 0.0) * setting.composed
    learnt = min(MOST_CROPS, _JUDGED * setting.composed)
    return learnt * (1 + _SOLVED / MOST_CROPS) + 3 * held_out * _JUDGED


def _seconds_of_a_crop() -> float:
    extractor = crop_extractor(pick_device("auto"))
    crops = torch.zeros(_CROPS, 3, SIDE, SIDE, dtype=torch.uint8)
    return _mean(lambda: described(extractor, crops), 2) / _CROPS


def _seconds_of_a_picture(setting: DemoSetting) -> float:
    """Of a thing on its stand; the empty stand is rendered besides."""
    options = TurntableOptions(size=setting.size)
    turns = iter(range(len(CLASSES)))
    seconds = _mean(lambda: render_turntable(next(turns), seed=0, frames=1, options=options), 3)
    return seconds / 2


def _seconds_of_a_scene(setting: DemoSetting) -> float:
    options = SceneOptions(size=setting.size)
    indices = iter(range(setting.unseen + 3))
    return _mean(lambda: render_scene(seed=1, index=next(indices), options=options), 3)


def _seconds_of_a_step(side: int, batch: int) -> float:
    """There and back through a net of this kind, with `batch` square pictures."""
    keep_freed()
    device = pick_device("auto")
    bf16 = learning.arithmetic() == "bf16"
    with _generator_kept():
        net = nets.create("yolov3-tiny", classes=len(CLASSES))
        net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        pictures = torch.rand(batch, 3, side, side, device=device)
    pictures = pictures.contiguous(memory_format=torch.channels_last)

    def step() -> None:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            outputs = net(pictures)
        sum(output.float().square().mean() for output in outputs).backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return _mean(step, 2)


def _mean(work: Callable[[], object], times: int) -> float:
    """Seconds that the work takes, once it has been done before."""
    work()
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


@contextmanager
def _generator_kept() -> Iterator[None]:
    """What is drawn here moves no number that is drawn after it."""
    with torch.random.fork_rng([]):
        yield
