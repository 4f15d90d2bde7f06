"""Weight files of others: what is read, what is refused, and what of it is loaded."""

import argparse
import collections
import contextlib
import hashlib
import os
import pickle
import random
import re
import socket
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets import imagenet, receiving
from viewfinder.nets.checkpoints import ShapeDifference, load_matching
from viewfinder.nets.facts import Download
from viewfinder.nets.obtaining import imagenet_file
from viewfinder.nets.weight_files import read_weights

FETCHED = [
    name
    for name in nets.names()
    if (known := nets.pretrained(name))
    and isinstance(known.source, Download)
    and known.source.url.startswith("https://download.pytorch.org/")  # torchvision's
]


# What torchvision calls them, where it is another name.
THEIRS = {"vgg16": "vgg16_bn"}


def state() -> dict[str, torch.Tensor]:
    return nets.create("lenet").state_dict()


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name
        assert not found[name].requires_grad


class Evil:
    """Unpickled, it makes the file it was given."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.witness),))


@pytest.mark.parametrize("name", ["a.safetensors", "a.weights", "Zürich 重み.safetensors"])
def test_safetensors(tmp_path: Path, name: str) -> None:
    expected = dict(sorted(state().items()))
    safetensors.torch.save_file(expected, tmp_path / name)
    found = read_weights(tmp_path / name)
    assert_same(dict(sorted(found.items())), expected)


@pytest.mark.parametrize("name", ["a.pt", "a.pth", "a.bin", "a.anything"])
@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files(tmp_path: Path, name: str, zipped: bool) -> None:
    expected = state()
    torch.save(expected, tmp_path / name, _use_new_zipfile_serialization=zipped)
    assert_same(read_weights(str(tmp_path / name)), expected)


@pytest.mark.parametrize(
    "nest",
    [
        lambda s: {"state_dict": s, "epoch": 3, "optimizer": {"lr": torch.tensor(0.1)}},
        lambda s: {"model": s},
        lambda s: {"model_state_dict": collections.OrderedDict(s)},
        lambda s: {"model": {"state_dict": s, "step": 4}},
        lambda s: {f"module.{name}": tensor for name, tensor in s.items()},
        lambda s: {"state_dict": {f"module._orig_mod.{n}": tensor for n, tensor in s.items()}},
        lambda s: {n: torch.nn.Parameter(tensor) for n, tensor in s.items()},
        lambda s: s | {"epoch": 7, "note": "hello"},
    ],
)
def test_nests_and_prefixes(tmp_path: Path, nest: Any) -> None:
    expected = state()
    torch.save(nest(expected), tmp_path / "a.pt")
    assert_same(read_weights(tmp_path / "a.pt"), expected)


def test_a_prefix_that_not_every_name_has_belongs_to_the_net(tmp_path: Path) -> None:
    odd = {"module.weight": torch.ones(2), "bias": torch.ones(3)}
    torch.save(odd, tmp_path / "a.pt")
    assert_same(read_weights(tmp_path / "a.pt"), odd)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_refused_and_does_not_run(tmp_path: Path, zipped: bool) -> None:
    path, witness = tmp_path / "a.pt", tmp_path / "ran"
    torch.save({"w": Evil(witness)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"a\.pt was refused.*torch\.save\(net\.state_dict"):
        read_weights(path)
    assert not witness.exists()


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_plain_pickle_is_refused_and_does_not_run(tmp_path: Path, protocol: int) -> None:
    path, witness = tmp_path / "a.pkl", tmp_path / "ran"
    path.write_bytes(pickle.dumps(Evil(witness), protocol=protocol))
    with pytest.raises(InputError, match=r"a\.pkl"):
        read_weights(path)
    assert not witness.exists()
    pickle.loads(path.read_bytes())
    assert witness.exists()  # It would have run.


@pytest.mark.parametrize(
    "document",
    [torch.nn.Linear(2, 2), {"state_dict": state(), "args": argparse.Namespace(lr=1)}],
    ids=["a whole net", "a checkpoint with its arguments"],
)
def test_objects_are_refused(tmp_path: Path, document: object) -> None:
    torch.save(document, tmp_path / "a.pt")
    with pytest.raises(InputError, match="was refused: it holds more than tensors"):
        read_weights(tmp_path / "a.pt")


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_torchscript_program_is_refused(tmp_path: Path) -> None:
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "a.pt"))
    with pytest.raises(InputError, match="was refused: it holds more than tensors"):
        read_weights(tmp_path / "a.pt")


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"hello " * 50,
        random.Random(0).randbytes(1000),
        b"PK\x03\x04" + bytes(100),
        b"\x80\x02" + bytes(50),
        b"\xff" * 8 + b"{}",
        (2).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        b"<!DOCTYPE html><html>404</html>",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    ],
)
def test_garbage(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_truncated_anywhere(tmp_path: Path, kind: str) -> None:
    path, cut = tmp_path / "a.pt", tmp_path / "cut.pt"
    small = {"a.weight": torch.randn(9, 9), "a.bias": torch.randn(9)}
    if kind == "safetensors":
        safetensors.torch.save_file(small, path)
    else:
        torch.save(small, path, _use_new_zipfile_serialization=kind == "zip")
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 41):
        cut.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.pt"):
            read_weights(cut)


@given(places=st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 255)), max_size=6))
def test_flipped_bytes_are_read_or_refused(
    places: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "flipped.pt"
    for zipped in (True, False):
        torch.save({"a.weight": torch.ones(9)}, path, _use_new_zipfile_serialization=zipped)
        content = bytearray(path.read_bytes())
        for place, value in places:
            content[place % len(content)] = value
        path.write_bytes(content)
        # Either tensors or the one error: anything else that is raised fails the test.
        with contextlib.suppress(InputError):
            assert read_weights(path)


def recursive() -> dict[str, Any]:
    document: dict[str, Any] = {}
    document["model"] = document
    return document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (torch.ones(3), "holds a Tensor, not named weights"),
        ([torch.ones(3)], "holds a list"),
        ({}, "holds no weights, only nothing"),
        ({"epoch": 3, "lr": 0.1}, "holds no weights, only epoch, lr"),
        ({3: torch.ones(3)}, "holds no weights, only 3"),
        ({"model": {}}, "holds no weights"),
        (recursive(), "holds no weights, only model"),
        ({"w": torch.ones(3).to_sparse()}, "holds w in a form"),
        ({"w": torch.ones(3, dtype=torch.complex64)}, "holds w in a form"),
        ({"w": torch.ones(3, device="meta")}, "holds w in a form"),
    ],
)
def test_no_weights_in_it(tmp_path: Path, document: object, message: str) -> None:
    torch.save(document, tmp_path / "a.pt")
    with pytest.raises(InputError, match=message):
        read_weights(tmp_path / "a.pt")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the weights .*none\.pt: No such file"):
        read_weights(tmp_path / "none.pt")
    with pytest.raises(InputError, match="is a folder that holds no run"):
        read_weights(tmp_path)


def test_everything_fits() -> None:
    source, net = nets.create("lenet"), nets.create("lenet")
    report = load_matching(net, source.state_dict())
    assert_same(net.state_dict(), source.state_dict())
    assert report.loaded == tuple(source.state_dict())
    assert (report.different, report.withheld, report.missing, report.unexpected) == (
        (),
        (),
        (),
        (),
    )
    assert str(report) == "loaded 10 of 10 tensors"


def test_another_head_is_left_and_said() -> None:
    source, net = nets.create("lenet", classes=10), nets.create("lenet", classes=3)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    report = load_matching(net, source.state_dict())
    assert report.different == (
        ShapeDifference("fc3.weight", in_net=(3, 84), in_file=(10, 84)),
        ShapeDifference("fc3.bias", in_net=(3,), in_file=(10,)),
    )
    for name, tensor in net.state_dict().items():
        expected = before if name.startswith("fc3") else source.state_dict()
        assert torch.equal(tensor, expected[name]), name
    assert "fc3.weight is 10×84 in the file, 3×84 in the net" in str(report)


def test_a_layer_is_loaded_whole_or_not_at_all() -> None:
    source, net = nets.create("lenet", size=64), nets.create("lenet", size=32)
    source.fc1.bias.data.fill_(3)
    report = load_matching(net, source.state_dict())
    assert [each.name for each in report.different] == ["fc1.weight"]
    assert report.withheld == ("fc1.bias",)
    assert not net.fc1.bias.any()
    assert len(report.loaded) == 8


def test_missing_and_unexpected() -> None:
    source, net = nets.create("resnet34", stem="small"), nets.create("resnet18", stem="small")
    report = load_matching(net, source.state_dict())
    assert set(report.loaded) | {each.name for each in report.different} == set(net.state_dict())
    assert "layer3.5.conv2.weight" in report.unexpected
    back = load_matching(source, net.state_dict())
    assert set(back.missing) == set(report.unexpected)
    assert f"not in the file: {back.missing[0]}" in str(back)
    assert torch.equal(net.layer4[1].conv2.weight, source.layer4[1].conv2.weight)


def test_half_precision_is_taken_in_the_nets_own() -> None:
    source, net = nets.create("lenet"), nets.create("lenet")
    load_matching(net, {name: tensor.half() for name, tensor in source.state_dict().items()})
    assert net.conv1.weight.dtype == torch.float32
    assert torch.equal(net.conv1.weight, source.conv1.weight.half().float())


def test_nothing_fits() -> None:
    net = nets.create("lenet")
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    message = r"none of these weights fit.*conv1\.weight 64×3×7×7.*and \d+ more.*16×3×5×5"
    with pytest.raises(InputError, match=message):
        load_matching(net, nets.create("resnet18").state_dict())
    assert_same(net.state_dict(), before)


def test_counters_alone_are_no_fit() -> None:
    counter = {"bn1.num_batches_tracked": torch.tensor(7)}
    with pytest.raises(InputError, match="none of these weights fit"):
        load_matching(nets.create("resnet18"), counter)


def test_every_set_of_imagenet_weights_fits_its_net() -> None:
    """By the published count of parameters; GoogLeNet's leaves out its auxiliary heads."""
    from torchvision.models import get_model_weights

    for name in FETCHED:
        known = nets.pretrained(name)
        with torch.device("meta"):
            net = nets.create(name, **known.options)
        count = get_model_weights(THEIRS.get(name, name)).DEFAULT.meta["num_params"]
        assert sum(weight.numel() for weight in net.parameters()) == count, name


def test_addresses_are_torchvisions() -> None:
    from torchvision.models import get_model_weights

    for name in FETCHED:
        source, theirs = nets.pretrained(name).source, get_model_weights(THEIRS.get(name, name))
        assert source.url == theirs.DEFAULT.url
        assert abs(source.length - theirs.DEFAULT.meta["_file_size"] * 2**20) < 1024


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's folder of downloads, empty, and no network behind it."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VIEWFINDER_WEIGHTS", raising=False)
    for name in ("https_proxy", "HTTPS_PROXY"):  # nobody listens there
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("brought", [False, True])
def test_imagenet_weights_once_fetched_need_no_network(
    cache: Path, monkeypatch: pytest.MonkeyPatch, brought: bool
) -> None:
    """By torch earlier, or by somebody into a folder of theirs."""
    source = nets.create("resnet18")
    folder = cache
    if brought:
        folder = cache.parent / "mine"
        folder.mkdir()
        monkeypatch.setenv("VIEWFINDER_WEIGHTS", str(folder))
    file = folder / "resnet18-f37072fd.pth"
    torch.save(source.state_dict(), file)
    with pytest.raises(InputError, match=r"resnet18-f37072fd\.pth is not the ImageNet weights of"):
        imagenet.imagenet_weights("resnet18")
    entry = nets._NETS["resnet18"]
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    known = replace(entry.imagenet.source, length=file.stat().st_size, sha256=digest)
    theirs = replace(entry, imagenet=replace(entry.imagenet, source=known))
    monkeypatch.setitem(nets._NETS, "resnet18", theirs)
    assert_same(imagenet.imagenet_weights("resnet18"), source.state_dict())


def test_imagenet_weights_without_a_network(cache: Path) -> None:
    with pytest.raises(InputError, match=r"vgg16 from https:.*refused.*give its path to --init"):
        imagenet.imagenet_weights("vgg16")
    assert not list(cache.iterdir())


def test_a_network_that_never_answers_is_not_waited_for(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that takes the connection and stays silent: to wait for it would take minutes."""
    monkeypatch.setattr(receiving, "_PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(InputError, match=r"cannot get the ImageNet weights.*no answer within"):
            imagenet_file("vgg16")


@pytest.mark.parametrize("name", ["lenet", "alexnet", "resnet19"])
def test_nets_without_imagenet_weights(name: str) -> None:
    with pytest.raises(InputError, match=rf"no ImageNet weights for '{name}'.*vgg16, googlenet"):
        imagenet.imagenet_weights(name)


def under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: {"net": s, "acc": 93.1, "epoch": 199},
        lambda s: {"ema": s},
        lambda s: {"ema": {"module": s, "updates": 3}},
        lambda s: {"params": s, "opt": {"state": {0: {"exp_avg": torch.ones(3)}}}},
        lambda s: {"model_state": s, "optimizer_state": {"state": {}, "param_groups": []}},
        lambda s: {"checkpoint of ours": {"inner": s}, "step": 5},
        lambda s: {"state_dict": under("model.", s), "pytorch-lightning_version": "2.1"},
        lambda s: {"state_dict": under("backbone.", s) | {"head.fc.weight": torch.ones(3, 9)}},
        lambda s: {"state_dict": under("module.model.backbone.", s)},
        lambda s: {"state_dict": under("module.encoder_q.", s) | under("module.encoder_k.", s)},
        lambda s: {"student": {}, "teacher": under("backbone.", s)},
        lambda s: under("net.", s),
        lambda s: under("encoder.", s) | under("decoder.", {"conv9.weight": torch.ones(3)}),
    ],
)
def test_nests_and_prefixes_of_other_frameworks(tmp_path: Path, wrap: Any) -> None:
    expected = state()
    torch.save(wrap(expected), tmp_path / "a.pt")
    assert_same(read_weights(tmp_path / "a.pt", nets.create("lenet", classes=3)), expected)


def test_a_prefix_that_is_left_away_is_told(tmp_path: Path, capsys: Any) -> None:
    document = under("encoder_q.", state()) | {"queue": torch.ones(9, 9)}
    torch.save(document, tmp_path / "a.pt")
    read_weights(tmp_path / "a.pt", nets.create("lenet"))
    said = "'encoder_q.' is left away before the names of 10 tensors, which fit then; 1 other"
    assert said in capsys.readouterr().err
    # Names that fit as they are, and names of another net, are left alone.
    expected = state()
    torch.save(expected, tmp_path / "a.pt")
    for name in ("lenet", "resnet18"):
        assert_same(read_weights(tmp_path / "a.pt", nets.create(name)), expected)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n <!DOCTYPE html><html>404</html>", "is a web page"),
        (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git's pointer.*lfs pull"),
        (b"hello " * 50, r"a\.(pth|safetensors)"),
    ],
)
def test_what_is_saved_in_the_place_of_weights(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_weights(tmp_path / name)
    assert "weights_only" not in str(caught.value)


def test_compressed_weights_are_refused(tmp_path: Path) -> None:
    plain, small = tmp_path / "a.pth", tmp_path / "b.pth"
    torch.save({"w": torch.zeros(1 << 20)}, plain)
    with zipfile.ZipFile(plain) as one, zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as other:
        for name in one.namelist():
            other.writestr(name, one.read(name))
    assert small.stat().st_size < 20_000
    assert read_weights(plain)["w"].shape == (1 << 20,)
    with pytest.raises(InputError, match=r"b\.pth was refused: it is compressed"):
        read_weights(small)


def test_weights_that_are_no_numbers_are_named() -> None:
    broken = state()
    broken["conv1.weight"] = torch.full_like(broken["conv1.weight"], float("nan"))
    net = nets.create("lenet")
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.raises(InputError, match=r"NaN or infinite numbers, in conv1\.weight:"):
        load_matching(net, broken)
    assert_same(net.state_dict(), before)


def test_another_nets_file_is_said_plainly() -> None:
    options = {"stem": "small", "width": 0.25}
    larger, net = nets.create("resnet34", **options), nets.create("resnet18", **options)
    said = str(load_matching(net, larger.state_dict()))
    assert re.match(
        r"loaded \d+ of 122 tensors; \d+ tensors of the file have no place in this", said
    )
    back = str(load_matching(larger, net.state_dict()))
    assert "no place" not in back
    wide = nets.create("resnet18", stem="small", width=0.5)
    few = {n: t for n, t in wide.state_dict().items() if n.startswith(("bn1.", "fc."))}
    few["conv1.weight"] = net.state_dict()["conv1.weight"]
    assert "tensors start anew, which is most of the net" in str(load_matching(net, few))
    whole = nets.create("googlenet").state_dict()
    assert "no place" not in str(load_matching(nets.create("googlenet", auxiliary=False), whole))


@pytest.mark.parametrize("name", FETCHED)
def test_torchvisions_own_files_are_known_by_their_shapes(name: str) -> None:
    from torchvision.models import get_model

    with torch.device("meta"):
        quick = {"init_weights": False} if name == "googlenet" else {}
        theirs = get_model(THEIRS.get(name, name), weights=None, **quick)
        ours = nets.create(name, classes=999)
    assert imagenet.is_imagenet(name, theirs.state_dict())
    assert not imagenet.is_imagenet(name, ours.state_dict())


def test_which_weights_of_several_are_read_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = {"module.fc.weight": torch.ones(2, 3)}
    saved = {"epoch": 3, "teacher": state, "student": state, "optimizer": {"state": {0: state}}}
    torch.save(saved, tmp_path / "a.pt")
    assert list(read_weights(tmp_path / "a.pt")) == ["fc.weight"]
    said = " ".join(capsys.readouterr().err.split())
    assert "the weights under 'teacher' are read, and not those under 'student'" in said
    assert "optimizer" not in said
    assert "'module.' is left away before all names" in said
