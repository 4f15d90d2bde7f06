"""Darknet's .cfg files: what is read of them, and what is refused, where."""

import contextlib
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets.darknet import DarknetConfig, find_config, read_config

ANCHORS = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))


def convolution(filters: int, size: int = 3) -> str:
    return f"""
[convolutional]
batch_normalize=1
filters={filters}
size={size}
stride=1
pad=1
activation=leaky
"""


def tiny_text(classes: int = 2) -> str:
    """A .cfg of yolov3-tiny, as Darknet's own lists it."""
    pool = "\n[maxpool]\nsize=2\nstride={}\n"
    predict = (
        f"\n[convolutional]\nsize=1\nstride=1\npad=1\nfilters={3 * (5 + classes)}\n"
        "activation=linear\n"
    )
    yolo = (
        "\n[yolo]\nmask = {}\nanchors = 10,14,  23,27,  37,58,  81,82,  135,169,  344,319\n"
        f"classes={classes}\nnum=6\njitter=.3\nignore_thresh = .7\ntruth_thresh = 1\nrandom=1\n"
    )
    text = "[net]\n# Testing\nbatch=1\nwidth=416\nheight=320\nchannels=3\nhue=.1\n"
    for filters in (16, 32, 64, 128, 256):
        text += convolution(filters) + pool.format(2)
    text += convolution(512) + pool.format(1) + convolution(1024) + convolution(256, 1)
    text += convolution(512) + predict + yolo.format("3,4,5")
    text += "\n[route]\nlayers = -4\n" + convolution(128, 1) + "\n[upsample]\nstride=2\n"
    text += "\n[route]\nlayers = -1, 8\n" + convolution(256) + predict + yolo.format("1,2,3")
    return text


EXPECTED = DarknetConfig("yolov3-tiny", 2, ANCHORS, ((3, 4, 5), (1, 2, 3)), (320, 416))


def read(tmp_path: Path, content: str | bytes) -> DarknetConfig:
    path = tmp_path / "a.cfg"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_config(path)


@pytest.mark.parametrize(
    ("name", "net", "classes", "side", "masks"),
    [
        ("yolov3.cfg", "yolov3", 80, 608, ((6, 7, 8), (3, 4, 5), (0, 1, 2))),
        ("yolov3-spp.cfg", "yolov3-spp", 80, 608, ((6, 7, 8), (3, 4, 5), (0, 1, 2))),
        ("yolov3-voc.cfg", "yolov3", 20, 416, ((6, 7, 8), (3, 4, 5), (0, 1, 2))),
        ("yolov3-tiny.cfg", "yolov3-tiny", 80, 416, ((3, 4, 5), (0, 1, 2))),
        ("yolov3-tiny-mask123.cfg", "yolov3-tiny", 80, 416, ((3, 4, 5), (1, 2, 3))),
    ],
)
def test_darknets_own(
    shared: Path, name: str, net: str, classes: int, side: int, masks: tuple[tuple[int, ...], ...]
) -> None:
    found = read_config(shared / "golden/darknet" / name)
    anchors = nets.options(net)["anchors"]
    assert found == DarknetConfig(net, classes, anchors, masks, (side, side))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip(),
        lambda text: text.replace("[convolutional]", "[conv]").replace("[maxpool]", "[max]"),
        lambda text: text.replace("[net]", "[network]"),
        lambda text: text.replace("filters=16", " fil ters\t= 1 6 "),
        lambda text: text.replace("filters=16", "filters=16 # as many\n; more"),
        lambda text: text.replace("filters=16", "filters=16\nfilters=17"),
        lambda text: text.replace("319\n", "319,\n"),
        lambda text: text.replace("layers = -4", "layers = 13"),
        lambda text: text.replace("layers = -1, 8", "layers = -1,-12"),
        lambda text: text.replace("pad=1", "padding=1", 1),
        lambda text: text.replace("size=2\n", "size=2\npadding=1\n"),
        lambda text: text.replace("size=1\nstride=1\npad=1", "size=1"),
        lambda text: text.replace("[upsample]\nstride=2", "[upsample]"),
        lambda text: text.replace("random=1", "scale_x_y = 1.0\nmax=200\niou_loss=mse"),
        lambda text: text.replace("344,319", "344.0,319."),
    ],
)
def test_what_darknet_takes_as_the_same(tmp_path: Path, change: object) -> None:
    assert read(tmp_path, change(tiny_text())) == EXPECTED


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "gb18030"])
def test_comments_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, "# Größe\n".encode(encoding) + tiny_text().encode()) == EXPECTED


def test_what_a_layout_leaves_open(tmp_path: Path) -> None:
    text = tiny_text(7).replace("mask = 1,2,3", "mask = 0").replace("num=6", "num=4")
    text = text.replace("mask = 3,4,5", "").replace(",  135,169,  344,319", "")
    first, second, last = text.rpartition("filters=36")
    text = first.replace("filters=36", "filters=48") + "filters=12" + last
    assert second
    anchors = ANCHORS[:4]
    expected = DarknetConfig("yolov3-tiny", 7, anchors, ((0, 1, 2, 3), (0,)), (320, 416))
    assert read(tmp_path, text) == expected
    net = nets.create(expected.net, classes=7, anchors=anchors, masks=expected.masks, width=0.125)
    assert [len(scale.anchors) for scale in net.scales] == [4, 1]


def section_and_line(text: str, number: int, key: str) -> str:
    """`section N [kind], line M` of a key, counted by hand: the N-th section after [net]."""
    section = -2
    for line_number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("["):
            section += 1
            kind, found = line, line_number
        if section == number and (line.replace(" ", "").startswith(f"{key}=") or not key):
            found = line_number
            break
    else:
        pytest.fail(f"no {key} in section {number}")
    return rf"section {number} \{kind[:-1]}\], line {found}: "


@pytest.mark.parametrize(
    ("old", "new", "number", "key", "message"),
    [
        (
            "filters=128\n",
            "filters=100\n",
            6,
            "filters",
            "filters is 100, where yolov3-tiny has 128",
        ),
        ("activation=leaky", "activation=mish", 0, "activation", "activation is mish"),
        ("size=2\nstride=1", "size=3\nstride=1", 11, "size", "size is 3, where yolov3-tiny has 2"),
        ("layers = -1, 8", "layers = -1, 6", 20, "layers", "layers is -1,6, .* has -1,8"),
        ("layers = -4", "layers = x", 17, "layers", "layers has 'x', which is no number"),
        ("layers = -4", "layers = -4.5", 17, "layers", r"layers has -4\.5: it must be whole"),
        ("layers = -4", "", 17, "", "layers is missing, where"),
        ("[upsample]", "[deconvolutional]", 19, "", r"has \[upsample\] as its layer 19; only"),
        ("filters=1024", "filters=many", 12, "filters", "filters is 'many'"),
        ("filters=1024", "filters=99999999999", 12, "filters", "filters is '9999"),
        ("filters=21", "filters=255", 15, "filters", r"255: 3 anchors of 5 \+ 2 values need 21"),
        ("classes=2", "classes=0", 16, "classes", "classes is 0: it must be from 1 to 10,000"),
        ("num=6", "num=5", 16, "anchors", "anchors has 12 numbers: with num=5 it must have 10"),
        ("10,14,", "10,-14,", 16, "anchors", "anchors has -14"),
        ("10,14,", "10,nan,", 16, "anchors", "anchors has 'nan'"),
        ("mask = 3,4,5", "mask = 3,4,6", 16, "mask", "mask is 3,4,6.*from 0 to 5"),
        ("mask = 3,4,5", "mask = 3,4,4", 16, "mask", "mask is 3,4,4"),
        ("random=1", "new_coords=1", 16, "new_coords", "new_coords must be 0"),
        ("random=1", "scale_x_y=1.05", 16, "scale_x_y", "scale_x_y must be 1"),
        (
            "stride=2\n\n[route]",
            "stride=2\ngroup_id=1\n\n[route]",
            19,
            "group_id",
            "not known there",
        ),
    ],
)
def test_refused_with_section_and_line(
    tmp_path: Path, old: str, new: str, number: int, key: str, message: str
) -> None:
    text = tiny_text()
    assert old in text
    text = text.replace(old, new, 1)
    # Darknet numbers layers from 0 after [net]; the first [yolo] is its 16th.
    with pytest.raises(InputError, match=section_and_line(text, number, key) + ".*" + message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("width=416", "width=400"), r"\[net\], line 4: width is 400.*of 32"),
        (lambda t: t.replace("height=320", ""), r"\[net\], line 1: height is 0"),
        (lambda t: t.replace("channels=3", "channels=1"), r"\[net\], line 6: channels is 1"),
        (lambda t: t.replace("hue=.1", "hue"), "line 7: 'hue' is no"),
        (lambda t: "width=3\n" + t, "line 1: 'width=3' is no"),
        (lambda t: t.replace("[net]", "[region]"), r"first|begins with a section \[net\]"),
        (lambda _: "", r"begins with a section \[net\]"),
        (lambda _: "[net]\nwidth=32", r"begins with a section \[net\]"),
        (lambda t: t[: t.rindex("[yolo]")], r"section 22 .*ends with layer 22, .* 24 layers"),
        (lambda t: t + "\n[yolo]\n", r"section 24 \[yolo\].*yolov3-tiny ends with layer 23"),
        (lambda t: t.replace("classes=2", "classes=3", 1), "section 15 .*3 values need 24"),
        (lambda t: t + "x" * 1_000_000, "over a megabyte"),
    ],
)
def test_refused_as_a_whole(tmp_path: Path, change: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, change(tiny_text()))


def test_scales_that_disagree(tmp_path: Path) -> None:
    head, yolo, tail = tiny_text().rpartition("[yolo]")
    with pytest.raises(InputError, match=r"section 23 .*classes is 3, but 2 in line \d+"):
        read(tmp_path, head + yolo + tail.replace("classes=2", "classes=3"))
    with pytest.raises(InputError, match=r"section 23 .*anchors are others than in line \d+"):
        read(tmp_path, head + yolo + tail.replace("10,14", "10,15"))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.cfg: No such file"):
        read_config(tmp_path / "none.cfg")
    with pytest.raises(InputError, match="cannot read"):
        read_config(tmp_path)


def read_or_refused(path: Path) -> None:
    """Either a net that can be created or the one error: anything else fails the test."""
    with contextlib.suppress(InputError):
        found = read_config(path)
        with torch.device("meta"):
            nets.create(found.net, classes=found.classes, anchors=found.anchors, masks=found.masks)


LINES = tiny_text().splitlines()
WORDS = st.one_of(
    st.sampled_from(sorted(set(LINES))),
    st.builds(
        "{}={}".format,
        st.sampled_from(sorted({re.sub(" *=.*", "", line) for line in LINES if "=" in line})),
        st.one_of(st.integers().map(str), st.text(max_size=8), st.sampled_from(["1e9", "-0", ","])),
    ),
    st.text(max_size=12),
)


@given(changes=st.lists(st.tuples(st.integers(0, len(LINES) - 1), WORDS), max_size=4))
def test_changed_lines_are_read_or_refused(
    changes: list[tuple[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = list(LINES)
    for place, line in changes:
        lines[place] = line
    path = tmp_path_factory.getbasetemp() / "changed.cfg"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    read_or_refused(path)


@given(
    content=st.binary(max_size=200),
    place=st.integers(0, len(tiny_text())),
    cut=st.integers(0, 200),
)
def test_bytes_put_in_are_read_or_refused(
    content: bytes, place: int, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = tiny_text().encode()
    path = tmp_path_factory.getbasetemp() / "bytes.cfg"
    path.write_bytes(text[:place] + content + text[place + cut :])
    read_or_refused(path)


@pytest.mark.parametrize("name", ["my", "my_last", "my_best", "my_2000"])
def test_weights_find_the_config_beside_them(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.weights").write_bytes(b"any")
    (tmp_path / "my.cfg").write_text(tiny_text())
    assert find_config(tmp_path / f"{name}.weights") == EXPECTED


@pytest.mark.parametrize(
    ("line", "says"), [("", None), ("letter_box = 1\n", True), ("letter_box=0\n", False)]
)
def test_whether_pictures_keep_their_aspect(tmp_path: Path, line: str, says: bool | None) -> None:
    assert read(tmp_path, tiny_text().replace("[net]\n", f"[net]\n{line}")).letter_box is says


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        ("=2", r"line \d+: '=2' has no name before its '='"),
        ("clases=2", r"'clases' is not known there: classes may be meant"),
        ("classes", r"'classes' is no \[section\]"),
        ("classes=", r"classes is '': it must be a whole number"),
    ],
)
def test_a_damaged_line_is_told(tmp_path: Path, damaged: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, tiny_text().replace("classes=2", damaged))


@pytest.mark.parametrize("net", ["yolov3", "yolov3-spp", "yolov3-tiny"])
def test_published_weights_are_known_by_their_length(tmp_path: Path, net: str) -> None:
    with torch.device("meta"):
        state = nets.create(net).state_dict()
    count = sum(v.numel() for name, v in state.items() if "num_batches" not in name)
    with (tmp_path / "a.weights").open("wb") as file:
        file.truncate(20 + 4 * count)
    found = find_config(tmp_path / "a.weights")
    options = nets.options(net)
    assert (found.net, found.classes) == (net, 80)
    assert (found.anchors, found.masks) == (options["anchors"], options["masks"])


def test_weights_of_an_unknown_net(tmp_path: Path) -> None:
    (tmp_path / "my.weights").write_bytes(b"any")
    with pytest.raises(InputError, match=r"its 3 bytes .* put its \.cfg beside it, as my\.cfg"):
        find_config(tmp_path / "my.weights")
    with pytest.raises(InputError, match=r"cannot read .*none\.weights"):
        find_config(tmp_path / "none.weights")
