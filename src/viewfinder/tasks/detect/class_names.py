"""The names of classes that weight files number and do not name."""

from pathlib import Path

from viewfinder.errors import InputError


def _listed(text: str) -> tuple[str, ...]:
    return tuple(" ".join(name.split()) for name in text.split(","))


COCO = _listed("""
    person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire
    hydrant, stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear,
    zebra, giraffe, backpack, umbrella, handbag, tie, suitcase, frisbee, skis, snowboard, sports
    ball, kite, baseball bat, baseball glove, skateboard, surfboard, tennis racket, bottle, wine
    glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot
    dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop,
    mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book,
    clock, vase, scissors, teddy bear, hair drier, toothbrush
""")
VOC = _listed("""
    aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, cow, diningtable, dog, horse,
    motorbike, person, pottedplant, sheep, sofa, train, tvmonitor
""")
_KNOWN = {len(COCO): COCO, len(VOC): VOC}
_MOST_BYTES = 1 << 20


def names_of(weights: Path, classes: int) -> tuple[str, ...]:
    """The classes of a `.weights` file: the lines of the `.names` beside it, else COCO's or VOC's.

    Where neither is known, `class 0`, `class 1` and so on.

    Raises:
        InputError: the `.names` beside it has another number of lines, or cannot be read.
    """
    beside = weights.with_suffix(".names")
    if not beside.is_file():
        return _KNOWN.get(classes) or tuple(f"class {number}" for number in range(classes))
    try:
        with beside.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8-sig", "replace")
    except OSError as error:
        raise InputError(f"cannot read {beside}: {error.strerror or error}") from error
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    if len(names) != classes or len(set(names)) != classes:
        raise InputError(
            f"{beside} has {len(names)} names where {weights.name} has {classes} classes: it must "
            "have one a line, each once, in the order of the classes"
        )
    return names
