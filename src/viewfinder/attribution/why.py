"""Why a model answers as it does to pictures: a tested heat map for each of its answers."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from viewfinder.attribution.asking import ExplainedNet, ask_of
from viewfinder.attribution.changes import Change, changes
from viewfinder.attribution.heat import OCCLUSION, HeatMap, blurred, heats_of, occlusion
from viewfinder.attribution.inside import stages
from viewfinder.attribution.integrated import every_map, same_kind
from viewfinder.attribution.reason import Reason, Reasons
from viewfinder.attribution.refusing import require_layer
from viewfinder.attribution.standing import standing_of
from viewfinder.attribution.trials import alikeness, best_map, deletion, moves_as_far
from viewfinder.crowding import spare_threads_if_crowded
from viewfinder.errors import InputError
from viewfinder.events import counting, note, track
from viewfinder.inference.answers import Predictor, Prepared
from viewfinder.inference.asked_scores import require_classes
from viewfinder.inference.predict import find_sources, several
from viewfinder.tasks.answering import as_shares
from viewfinder.tasks.question import Question
from viewfinder.wording import some

_DOING = "looking for reasons"
# Of an answer: its map, the test, the map of a net that knows nothing, and what would change it.
_STEPS = 4


@dataclass(frozen=True)
class Wanted:
    """What is asked of each picture.

    Attributes:
        most: answers that are explained, the surest first.
        classes: only these; all if empty.
        layer: the layer whose maps are made; None takes the best of the stages.
        occlude: cover windows instead of looking into the net.
        quick: no map by occlusion where a layer's fails, and nothing of what would change it.
    """

    most: int = 5
    classes: tuple[str, ...] = ()
    layer: str | None = None
    occlude: bool = False
    quick: bool = False


def reasons_for(
    predictor: Predictor,
    source: str | Path | Sequence[str | Path],
    wanted: Wanted = Wanted(),
) -> Iterator[Reasons]:
    """The reasons for the answers to a picture, a folder of them, several of these, or paths on
    standard input.

    Raises:
        InputError: there is no such picture, layer or class, no picture can be read, or all are
            videos; or the model sees depth.
    """
    require_classes(wanted.classes, predictor.model.config.classes)
    named = several(source)
    sources = [found for each in named for found in find_sources(each, below=predictor.files)]
    pictures = [each.file for each in sources if each.kind != "video"]
    videos = [str(each.file) for each in sources if each.kind == "video"]
    if not pictures:
        raise InputError(
            f"{some(list(map(str, named)))}: reasons are looked for in pictures, not in videos: "
            f"take pictures of {some(videos)} by `viewfinder frames`"
        )
    if videos:
        note(f"passed over, as videos: {some(videos)}; take pictures of them by viewfinder frames")
    failed = 0
    for found in reasons_of(predictor, pictures, wanted):
        if isinstance(found, InputError):
            if len(pictures) == 1:
                raise found
            note(f"passed over: {found}")
            failed += 1
            if failed == len(pictures):
                raise InputError(
                    f"not one of the {failed} pictures of {some(list(map(str, named)))} can be "
                    f"read, the last since {found}"
                )
        else:
            yield found


def reasons_of(
    predictor: Predictor,
    pictures: Sequence[Path],
    wanted: Wanted,
) -> Iterator[Reasons | InputError]:
    """The reasons for the answers to files, or why one cannot be read.

    Raises:
        InputError: there is no such layer, or the model sees depth.
    """
    asked = ask_of(predictor)
    if wanted.layer is not None:
        require_layer(asked, wanted.layer)
    scrambled = asked.scrambled() if asked.whole and not wanted.occlude else None
    if not asked.whole and not wanted.occlude:
        note("what is inside an ONNX file cannot be looked into: windows of pictures are covered")
    inside = True
    alone = len(pictures) == 1
    files: Iterable[Path] = pictures
    if not alone:
        files = track(pictures, total=len(pictures), description=_DOING)
    for file in files:
        try:
            prepared = predictor.prepare_file(file)
        except InputError as error:
            yield error
            continue
        found = _reasons(predictor, asked, scrambled, prepared, wanted, inside=inside, alone=alone)
        inside = False
        yield found


def _reasons(
    predictor: Predictor,
    asked: ExplainedNet,
    scrambled: ExplainedNet | None,
    prepared: Prepared,
    wanted: Wanted,
    *,
    inside: bool,
    alone: bool,
) -> Reasons:
    pixels = prepared.pixels[None]
    if pixels.shape[1] != 3:
        raise InputError("this model sees depth maps, whose reasons are not looked for: ask a2dele")
    if inside and not wanted.quick:
        spare_threads_if_crowded(lambda: _seconds(predictor, pixels), "an answer")
    (reply,) = predictor.task.reply(predictor.net, pixels, asked.config, asked.device)
    threshold = predictor.threshold
    questions: list[Question] = predictor.task.questions(reply, asked.config, threshold=threshold)
    chosen = [q for q in questions if _is_wanted(q, wanted, asked.config.classes)][: wanted.most]
    # It stays on the CPU, where it is changed in many ways; nets fetch what they are asked about.
    picture = as_shares(pixels)
    soft = blurred(picture)
    steps = counting(total=_STEPS * len(chosen), description=_DOING)
    with steps if alone and chosen else contextlib.nullcontext(lambda: None) as step:
        reasons = tuple(
            reason_of(asked, scrambled, picture, each, wanted, soft=soft, step=step)
            for each in chosen
        )
    shown_pixels = (255 * picture[0]).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    looked = tuple(stages(asked, picture)) if inside else ()
    as_seen = np.ascontiguousarray(shown_pixels)
    return Reasons(prepared.source, as_seen, reasons, len(questions), looked)


def reason_of(
    asked: ExplainedNet,
    scrambled: ExplainedNet | None,
    picture: Tensor,
    question: Question,
    wanted: Wanted,
    *,
    soft: Tensor,
    step: Callable[[], None] = lambda: None,
) -> Reason:
    """Why one answer is given.

    Args:
        scrambled: the same net knowing nothing; None where maps are not held against its.
        picture: 1×3×H×W float32 in [0, 1], as the net is given it.
        soft: the picture `heat.blurred`.
        step: is called when each of `_STEPS` parts of the work is done.
    """
    standing = standing_of(asked, picture, question)
    heat, failed = _map(asked, picture, question, wanted, soft), None
    step()
    if heat is None or not heat.heat.max() > 0:
        return Reason(question, standing, None, None, None, (), asked_layer=wanted.layer)
    tested = deletion(asked, picture, question, heat, soft=soft)
    instead = wanted.layer is None and not wanted.quick
    if not tested.passed and instead and heat.method != OCCLUSION:
        heat, failed = occlusion(asked, picture, question, soft=soft), tested
        tested = deletion(asked, picture, question, heat, soft=soft)
    step()
    likeness, as_far = None, False
    if scrambled is not None and heat.method != OCCLUSION:
        other = same_kind(scrambled, picture, question, heat)
        if other is not None:
            likeness = alikeness(heat, other)
            as_far = moves_as_far(scrambled, picture, question, other, tested)
    step()
    changed: tuple[Change, ...] = ()
    if not wanted.quick:
        changed = tuple(changes(asked, picture, question, heat, tested, soft=soft))
    step()
    return Reason(question, standing, heat, tested, likeness, changed, failed, as_far=as_far)


def _seconds(predictor: Predictor, pixels: Tensor) -> float:
    """How long one answer takes."""
    begun = time.perf_counter()
    predictor.task.reply(predictor.net, pixels, predictor.model.config, predictor.device)
    return time.perf_counter() - begun


def _map(
    asked: ExplainedNet, picture: Tensor, question: Question, wanted: Wanted, soft: Tensor
) -> HeatMap | None:
    if wanted.layer is not None and not wanted.occlude:
        named = heats_of(asked, picture, question, wanted.layer)
        return best_map(asked, picture, question, named)
    maps = [] if wanted.occlude else every_map(asked, picture, question)
    found = best_map(asked, picture, question, maps)
    # Of a file whose net cannot be looked into nothing but windows is left.
    return found if found or wanted.quick else occlusion(asked, picture, question, soft=soft)


def _is_wanted(question: Question, wanted: Wanted, classes: Sequence[str]) -> bool:
    if not wanted.classes or question.label is None:
        return True
    return classes[question.label] in wanted.classes
