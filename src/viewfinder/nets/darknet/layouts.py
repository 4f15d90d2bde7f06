"""The layers of yolov3, yolov3-spp and yolov3-tiny as a `.cfg` lists them, to hold a file against.

Layers are numbered from 0 after [net]. A layer that another takes from is given as Darknet does:
counted back from it where the number is negative.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence

from viewfinder.nets.darknet.grammar import Section

# What a layer computes with, by name. None stands for what the file decides.
_Value = int | str | tuple[int, ...] | None
_Values = Mapping[str, _Value]
# Its kind comes first.
_Layer = tuple[str, _Values]


def find_layout(sections: Sequence[Section]) -> str:
    """The net whose layers these sections are.

    Raises:
        InputError: they are none's; it says where they part from the net that they follow longest.
    """
    found = [_layer(section) for section in sections]
    followed = {name: _followed(found, layers) for name, layers in _LAYOUTS.items()}
    net = max(_LAYOUTS, key=lambda n: (followed[n], -abs(len(_LAYOUTS[n]) - len(found))))
    expected, place = _LAYOUTS[net], followed[net]
    if place < min(len(found), len(expected)):
        _refuse_difference(sections[place], found[place], expected[place], net)
    if place < len(expected):
        sections[-1].refuse(
            f"the file ends with layer {place - 1}, but {net} has {len(expected)} layers and goes "
            f"on with [{expected[place][0]}]: fetch the file again"
        )
    if place < len(found):
        sections[place].refuse(
            f"{net} ends with layer {place - 1}: remove what follows, or take another file"
        )
    for section in sections:
        _check_keys(section)
    return net


def _followed(found: Sequence[_Layer], expected: Sequence[_Layer]) -> int:
    """How many layers are the expected ones, from the first on."""
    pairs = list(zip(found, expected, strict=False))
    same = (
        kind == other[0] and not _differences(values, other[1], number)
        for number, ((kind, values), other) in enumerate(pairs)
    )
    return next((number for number, equal in enumerate(same) if not equal), len(pairs))


def _differences(found: _Values, expected: _Values, number: int) -> list[str]:
    return [
        key
        for key, value in expected.items()
        if value is not None and _absolute(found[key], number) != _absolute(value, number)
    ]


def _absolute(value: _Value, number: int) -> _Value:
    """The value, with layers that are taken from counted from the first."""
    if not isinstance(value, tuple):
        return value
    return tuple(layer if layer >= 0 else number + layer for layer in value)


def _refuse_difference(section: Section, found: _Layer, expected: _Layer, net: str) -> None:
    others = "only yolov3, yolov3-spp and yolov3-tiny are read"
    if found[0] != expected[0]:
        section.refuse(f"{net} has [{expected[0]}] as its layer {section.number}; {others}")
    key = _differences(found[1], expected[1], section.number)[0]
    theirs, ours = _shown(found[1][key]), _shown(expected[1][key])
    name = "from" if section.kind == "shortcut" and key == "layers" else key
    section.refuse(f"{name} is {theirs}, where {net} has {ours}; {others}", key=name)


def _shown(value: _Value) -> str:
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text[:40] or "missing"


def _check_keys(section: Section) -> None:
    """Refuse what would compute or load something else, and what may."""
    known = _READERS[section.kind][1] | _TRAINING | _IDLE.keys()
    for key in section.values:
        if key in _IDLE and section.numbers(key) != (_IDLE[key],):
            section.refuse(f"{key} must be {_IDLE[key]}: other values are not read", key=key)
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            meant = f"{near[0]} may be meant; " if near else ""
            section.refuse(
                f"{key[:40]!r} is not known there: {meant}if it matters in training alone, remove "
                "the line",
                key=key,
            )


def _layer(section: Section) -> _Layer:
    if section.kind not in _READERS:
        return section.kind, {}
    return section.kind, _READERS[section.kind][0](section)


def _read_convolutional(section: Section) -> _Values:
    size = section.integer("size", 1)
    padding = section.integer("padding", 0)
    return {
        "filters": section.integer("filters", 1),
        "size": size,
        "stride": section.integer("stride", 1),
        "padding": size // 2 if section.integer("pad", 0) else padding,
        "batch_normalize": int(section.integer("batch_normalize", 0) != 0),
        "activation": section.text("activation", "logistic"),
    }


def _read_maxpool(section: Section) -> _Values:
    stride = section.integer("stride", 1)
    size = section.integer("size", stride)
    return {"size": size, "stride": stride, "padding": section.integer("padding", size - 1)}


def _read_shortcut(section: Section) -> _Values:
    return {"layers": section.integers("from"), "activation": section.text("activation", "linear")}


def _read_route(section: Section) -> _Values:
    return {"layers": section.integers("layers")}


def _read_upsample(section: Section) -> _Values:
    return {"stride": section.integer("stride", 2)}


def _read_yolo(_: Section) -> _Values:
    return {}


# What makes a layer of a section, Darknet's defaults filled in, and the keys that it reads.
_READERS: dict[str, tuple[Callable[[Section], _Values], set[str]]] = {
    "convolutional": (
        _read_convolutional,
        {"filters", "size", "stride", "pad", "padding", "batch_normalize", "activation"},
    ),
    "maxpool": (_read_maxpool, {"size", "stride", "padding"}),
    "shortcut": (_read_shortcut, {"from", "activation"}),
    "route": (_read_route, {"layers"}),
    "upsample": (_read_upsample, {"stride"}),
    "yolo": (_read_yolo, {"mask", "anchors", "classes", "num"}),
}

# Keys of training, which change nothing of what a trained net computes.
_TRAINING = {
    "dot", "learning_rate", "onlyforward", "stopbackward", "jitter", "resize", "random", "max",
    "ignore_thresh", "truth_thresh", "iou_thresh", "iou_loss", "iou_normalizer", "cls_normalizer",
    "obj_normalizer", "max_delta", "label_smooth_eps", "counters_per_class", "focal_loss",
}  # fmt: skip

# Keys that change what is computed or loaded, and the value with which they do not.
_IDLE = {
    "binary": 0, "xnor": 0, "flipped": 0, "dontload": 0, "dontsave": 0, "dontloadscales": 0,
    "numload": 0, "groups": 1, "dilation": 1, "antialiasing": 0, "new_coords": 0,
    "scale_x_y": 1, "scale": 1,
}  # fmt: skip


def _conv(filters: int, *, size: int = 3, stride: int = 1) -> _Layer:
    return "convolutional", {
        "filters": filters, "size": size, "stride": stride, "padding": size // 2,
        "batch_normalize": 1, "activation": "leaky",
    }  # fmt: skip


def _maxpool(size: int, *, stride: int) -> _Layer:
    return "maxpool", {"size": size, "stride": stride, "padding": size - 1}


def _route(*layers: int) -> _Layer:
    return "route", {"layers": layers}


def _residual(channels: int) -> list[_Layer]:
    shortcut: _Layer = ("shortcut", {"layers": (-3,), "activation": "linear"})
    return [_conv(channels // 2, size=1), _conv(channels), shortcut]


def _head(wide: int) -> list[_Layer]:
    predict: _Values = {
        "filters": None, "size": 1, "stride": 1, "padding": 0,
        "batch_normalize": 0, "activation": "linear",
    }  # fmt: skip
    return [_conv(wide), ("convolutional", predict), ("yolo", {})]


def _up(channels: int, skip: int) -> list[_Layer]:
    return [_route(-4), _conv(channels, size=1), ("upsample", {"stride": 2}), _route(-1, skip)]


def _neck(narrow: int, *, pyramid: Sequence[_Layer] = ()) -> list[_Layer]:
    one, three = _conv(narrow, size=1), _conv(2 * narrow)
    return [one, three, one, *pyramid, three, one]


def _yolov3(*, pyramid: Sequence[_Layer] = ()) -> list[_Layer]:
    layers = [_conv(32)]
    for channels, depth in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        layers += [_conv(channels, stride=2), *depth * _residual(channels)]
    layers += _neck(512, pyramid=pyramid) + _head(1024)
    layers += _up(256, 61) + _neck(256) + _head(512)
    return layers + _up(128, 36) + _neck(128) + _head(256)


def _yolov3_spp() -> list[_Layer]:
    pools = [_maxpool(5, stride=1), _route(-2), _maxpool(9, stride=1), _route(-4)]
    pools += [_maxpool(13, stride=1), _route(-1, -3, -5, -6), _conv(512, size=1)]
    return _yolov3(pyramid=pools)


def _yolov3_tiny() -> list[_Layer]:
    layers = []
    for channels in (16, 32, 64, 128, 256):
        layers += [_conv(channels), _maxpool(2, stride=2)]
    layers += [_conv(512), _maxpool(2, stride=1), _conv(1024), _conv(256, size=1), *_head(512)]
    return layers + _up(128, 8) + _head(256)


_LAYOUTS = {"yolov3": _yolov3(), "yolov3-spp": _yolov3_spp(), "yolov3-tiny": _yolov3_tiny()}
