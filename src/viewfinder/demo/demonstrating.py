"""The demonstration from its first stage to its last."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.demo import capturing, learning, pacing
from viewfinder.demo.capturing import Shot
from viewfinder.demo.learning import Unseen
from viewfinder.demo.setting import DemoSetting
from viewfinder.devices import pick_device
from viewfinder.events import note
from viewfinder.inference.answers import Answer
from viewfinder.inference.predict import predict
from viewfinder.labelling.accepting import Acceptance
from viewfinder.labelling.proposals import Proposals
from viewfinder.runs.run import RunFolder
from viewfinder.tasks.detect.detections import Detections
from viewfinder.wording import counted, in_words, in_words_between

Result = TypeVar("Result")

# So many unseen scenes are answered and shown, spread evenly over all: none is picked out.
_SHOWN = 6
# Seconds of work from which on the pace of what is done tells that of what is left.
_TELLING = 5.0


class DemoStage(TypedDict):
    """What a stage took, and what came of it, in words for a person."""

    stage: str
    seconds: float
    outcome: str


@dataclass
class Stages:
    """What was done, reported as it begins and timed as it ends, with how long the rest may take.

    Attributes:
        expected: seconds of each stage, by the first word of its name; see `pacing.expected`.
        anew: seconds of some stages as they are tried again just before they begin.
        done: for each `stage` its `seconds` and its `outcome` in words for a person.
        fresh: the stage that was tried last, of which no other one's pace says more.
    """

    expected: dict[str, float]
    anew: Mapping[str, Callable[[], float]] = field(default_factory=dict)
    done: list[DemoStage] = field(default_factory=list)
    fresh: str = ""

    def do(self, name: str, work: Callable[[], Result], outcome: Callable[[Result], str]) -> Result:
        """Do one stage's work."""
        verb = name.partition(" ")[0]
        if verb in self.anew:
            self.expected[verb] = self.anew[verb]()
            self.fresh = verb
        now, left = (in_words_between(*each) for each in (self.takes(verb), self.left()))
        note(f"— {name}: {now}, {left} left in all")
        start = time.perf_counter()
        result = work()
        seconds = round(time.perf_counter() - start, 1)
        came_of_it = outcome(result)
        note(f"  {came_of_it} ({seconds:.0f} s)")
        self.done.append({"stage": name, "seconds": seconds, "outcome": came_of_it})
        return result

    def paces(self) -> tuple[float, float]:
        """How many times as long as expected stages took that are done, at least and at most: all
        together, and the last that tells."""
        thought = list(self.expected.values())[: len(self.done)]
        pairs = [(t, float(s["seconds"])) for t, s in zip(thought, self.done, strict=True)]
        # A second or two tell nothing of the machine.
        if sum(thought) <= _TELLING:
            return 1.0, 1.0
        together = sum(taken for _, taken in pairs) / sum(thought)
        last = next((taken / t for t, taken in reversed(pairs) if t > _TELLING), together)
        return min(together, last), max(together, last)

    def takes(self, verb: str) -> tuple[float, float]:
        """Seconds that a stage should take, at least and at most."""
        low, high = (1.0, 1.0) if verb == self.fresh else self.paces()
        return low * self.expected[verb], high * self.expected[verb]

    def left(self) -> tuple[float, float]:
        """Seconds that the stages not yet done should take, at least and at most."""
        each = [self.takes(verb) for verb in list(self.expected)[len(self.done) :]]
        return sum(low for low, _ in each), sum(high for _, high in each)


@dataclass(frozen=True, eq=False)
class DemoOutcome:
    """What the stages came to.

    Attributes:
        place: the folder that holds it all.
        overlaps: the IoU of each proposal's box with the true one.
        accepted: M bool, for each proposal whether the rule made a label of it.
        scored: how the detector answers scenes of other things, and how well.
        answers: to some of these scenes, as `predict` gives them.
        stages: see `Stages.done`.
    """

    place: Path
    setting: DemoSetting
    shots: list[Shot]
    proposals: Proposals
    overlaps: NDArray[np.float64]
    acceptance: Acceptance
    composed: Dataset
    run: RunFolder
    scored: Unseen
    shown: list[int]
    answers: list[Answer]
    stages: list[DemoStage]


def demonstrate(place: Path, setting: DemoSetting) -> DemoOutcome:
    """Film, take frames, propose, accept, compose, learn, judge and answer, all below `place`.

    Raises:
        InputError: `place` cannot be written, or holds what a stage is to write.
    """
    expected = pacing.expected(setting)
    note(f"this takes {in_words(sum(expected.values()))} on this machine")
    stages = Stages(expected, {"train": lambda: pacing.training(setting)})
    count = 8 * setting.things
    stages.do(
        "film things on a turning stand, and the empty stand",
        lambda: capturing.film(place, setting),
        lambda _: f"{counted(count, 'thing')} of 8 classes, {counted(setting.turn, 'frame')} each",
    )
    shots = stages.do(
        "take sharp frames that differ",
        lambda: capturing.take_frames(place, setting),
        lambda shots: counted(len(shots), "picture"),
    )
    proposals = stages.do(
        "propose boxes and outlines, by the difference to the empty stand",
        lambda: capturing.propose(place, shots),
        lambda proposals: _overlaps_in_words(capturing.overlaps(shots, proposals)),
    )
    acceptance = stages.do(
        f"accept those of a score of {capturing.ABOVE} or more",
        lambda: capturing.accept_sure(place, proposals),
        lambda acceptance: (
            f"{counted(acceptance.boxes, 'box')}, and {acceptance.below:,} left alone"
        ),
    )
    composed = stages.do(
        "compose scenes of the cut-outs",
        lambda: learning.compose(place, setting),
        lambda composed: (
            f"{counted(len(composed), 'scene')}, {counted(sum(composed.counts().values()), 'box')}"
        ),
    )
    run = stages.do(
        "train a detector on these scenes alone",
        lambda: learning.learn(place, setting),
        learning.trained,
    )
    scored = stages.do(
        "score it on cluttered scenes of things that it has never seen",
        lambda: learning.judge_unseen(place, run, setting),
        _unseen_in_words,
    )
    count = len(scored.judged.examples)
    shown = np.linspace(0, count - 1, min(_SHOWN, count))
    chosen = shown.round().astype(int).tolist()
    answers = stages.do(
        "answer a few of them",
        lambda: _answers(run, scored, chosen),
        lambda answers: (
            f"{counted(sum(len(found_in(answer).labels) for answer in answers), 'thing')} found"
        ),
    )
    return DemoOutcome(
        place=place,
        setting=setting,
        shots=shots,
        proposals=proposals,
        overlaps=capturing.overlaps(shots, proposals),
        acceptance=acceptance,
        composed=composed,
        run=run,
        scored=scored,
        shown=chosen,
        answers=answers,
        stages=stages.done,
    )


def found_in(answer: Answer) -> Detections:
    """What the detector found in a scene."""
    assert isinstance(answer.value, Detections), "a detector answers"
    return answer.value


def _unseen_in_words(scored: Unseen) -> str:
    alone, judged = (each.scores.ap50 or 0 for each in (scored.alone, scored.judged))
    text = f"mAP50 {judged:.3f} on {counted(len(scored.judged.examples), 'scene')}"
    return text if scored.alone is scored.judged else f"{text}, {alone:.3f} without second opinion"


def _overlaps_in_words(overlaps: NDArray[np.float64]) -> str:
    return f"{counted(len(overlaps), 'box')}, mean IoU with the true ones {overlaps.mean():.3f}"


def _answers(run: RunFolder, scored: Unseen, chosen: list[int]) -> list[Answer]:
    """Answers to some scenes, from the score on at which precision and recall are best together."""
    best = scored.judged.scores.best
    return [
        answer
        for index in chosen
        for answer in predict(
            run.model,
            scored.judged.examples.file(index),
            device=pick_device("auto"),
            threshold=best.threshold if best else None,
        )
    ]
