"""A2dele: equal to the authors' program, its checkpoints, its start, its two profiles."""

import json
import math
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets.a2dele import A2dele, A2deleDepth, Enlarge
from viewfinder.nets.a2dele_weights import backbone_weights, read_checkpoint, stream_of
from viewfinder.nets.checkpoints import load_matching
from viewfinder.nets.imagenet import imagenet_weights
from viewfinder.tasks import find
from viewfinder.tasks.saliency.recipe import SaliencyRecipe
from viewfinder.training.preparing import start_net

STREAMS = {"rgb": "a2dele", "depth": "a2dele-depth"}
MEAN = torch.tensor((0.485, 0.456, 0.406)).view(3, 1, 1)
DEVIATION = torch.tensor((0.229, 0.224, 0.225)).view(3, 1, 1)


def golden_weight(name: str, shape: list[int]) -> Tensor:
    """A tensor of the authors' network as it was when its outputs were recorded."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return torch.tensor(0)
    if name.endswith("running_var"):
        value = rng.uniform(0.5, 1.5, shape)
    elif len(shape) == 4:
        value = rng.normal(0, math.sqrt(2 / math.prod(shape[1:])), shape)
    elif name.endswith(".weight"):
        value = rng.uniform(0.5, 1.5, shape)
    else:  # running means and biases
        value = rng.normal(0, 0.1, shape)
    return torch.from_numpy(np.asarray(value, np.float32))


def golden_state(shared: Path, stream: str) -> dict[str, Tensor]:
    file = shared / "golden" / "saliency" / f"a2dele_{stream}.keys.json"
    shapes = json.loads(file.read_text(encoding="utf-8"))
    return {name: golden_weight(name, shape) for name, shape in shapes.items()}


def golden_pairs(shared: Path, stream: str) -> list[tuple[Tensor, list[Tensor]]]:
    """The inputs that the authors' network was given, and everything that it returned."""
    recorded = np.load(shared / "golden" / "saliency" / f"a2dele_{stream}.npz")
    pairs = []
    for i in range(2):
        random = np.random.default_rng(1000 + i)
        picture = random.uniform(0, 1, recorded[f"shape{i}"]).astype(np.float32)
        outputs = [recorded[name] for name in sorted(recorded.files) if name.startswith(f"out{i}_")]
        pairs.append((torch.from_numpy(picture), [torch.from_numpy(each) for each in outputs]))
    return pairs


def outputs_of(net: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    with torch.no_grad():
        outputs = net(x)
    return outputs if isinstance(outputs, tuple) else (outputs,)


@pytest.mark.parametrize("stream", STREAMS)
def test_equal_to_the_authors_program(shared: Path, stream: str) -> None:
    net = nets.create(STREAMS[stream], profile="upstream").eval()
    state = golden_state(shared, stream)
    assert list(net.state_dict()) == list(state)
    net.load_state_dict(state)
    net.double()
    for recorded, expected in golden_pairs(shared, stream):
        # The authors' second division of depth stands in their loader, so that their network was
        # given what ours makes of this.
        x = recorded.double() * 255 if stream == "depth" else recorded.double()
        outputs = outputs_of(net, x)
        for ours, theirs in zip(outputs, expected, strict=True):
            # Theirs was computed in float32, whose rounding is 1.1e-4 where logits reach 95.
            torch.testing.assert_close(ours.float(), theirs, rtol=0, atol=2e-4)
        saliency, truth = outputs[0].softmax(1).float(), expected[0].softmax(1)
        torch.testing.assert_close(saliency, truth, rtol=0, atol=1e-4)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("form", ["plain", "module.", "without counters"])
def test_a_checkpoint_of_the_authors_program(
    shared: Path, tmp_path: Path, stream: str, form: str
) -> None:
    state = golden_state(shared, stream)
    kept: dict[str, Any] = dict(state)
    if form == "module.":
        kept = {f"module.{name}": tensor for name, tensor in state.items()}
    if form == "without counters":
        kept = {name: tensor for name, tensor in state.items() if tensor.ndim}
    torch.save(kept, tmp_path / "42_w.pth", _use_new_zipfile_serialization=False)
    net = read_checkpoint(tmp_path / "42_w.pth")
    assert isinstance(net, A2dele if stream == "rgb" else A2deleDepth)
    assert net.profile == "upstream"
    assert not net.training
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, state[name]), name


class Evil:
    """Unpickled, it makes the folder it was given."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.witness),))


def test_a_checkpoint_that_hides_code(tmp_path: Path) -> None:
    state = nets.create("a2dele", width=0.1).state_dict() | {"extra": Evil(tmp_path / "ran")}
    torch.save(state, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    with pytest.raises(InputError, match="was refused: it holds more than tensors"):
        read_checkpoint(tmp_path / "a.pth")
    assert not (tmp_path / "ran").exists()


def without(state: dict[str, Tensor], word: str) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if word not in name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: without(s, "bn3_2"), r"not a whole .* rgb stream.*not in the file: bn3_2\.wei"),
        (lambda s: s | {"agg2.conv.weight": torch.ones(2)}, r"not in the net: agg2\.conv\.weight"),
        (lambda s: s | {"conv1_1.bias": torch.ones(3)}, r"conv1_1\.bias is 3 in the file, 64 in"),
        (lambda s: without(s, "rfb2_1"), "does not hold A2dele's weights"),
        (lambda s: without(s, "agg1"), "does not hold A2dele's weights: .* choose the net"),
        (lambda s: nets.create("lenet").state_dict(), "does not hold A2dele's weights"),
    ],
)
def test_what_is_not_a_whole_checkpoint_is_said(tmp_path: Path, change: Any, message: str) -> None:
    torch.save(change(dict(nets.create("a2dele").state_dict())), tmp_path / "a.pth")
    with pytest.raises(InputError, match=rf"a\.pth.*{message}"):
        read_checkpoint(tmp_path / "a.pth")


def test_a_narrow_net_is_no_checkpoint_of_the_authors(tmp_path: Path) -> None:
    torch.save(nets.create("a2dele-depth", width=0.25).state_dict(), tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"none of these weights fit.*conv1_1\.weight 16×3×3×3"):
        read_checkpoint(tmp_path / "a.pth")


@pytest.mark.parametrize("profile", ["mended", "upstream"])
def test_streams_are_known_by_their_keys(profile: str) -> None:
    with torch.device("meta"):
        for stream, name in STREAMS.items():
            assert stream_of(nets.create(name, profile=profile).state_dict()) == stream
        for name in nets.names("classify"):
            assert stream_of(nets.create(name).state_dict()) is None
    assert stream_of({}) is None


@pytest.mark.parametrize("name", STREAMS.values())
def test_profiles_have_the_same_keys(name: str) -> None:
    with torch.device("meta"):
        mended, upstream = (nets.create(name, profile=p) for p in ("mended", "upstream"))
    shapes = [{n: w.shape for n, w in net.state_dict().items()} for net in (mended, upstream)]
    assert shapes[0] == shapes[1]
    frozen = {n for n, weight in mended.named_parameters() if not weight.requires_grad}
    assert sum(mended.get_parameter(n).numel() for n in frozen) == 120_128
    assert all(weight.requires_grad for weight in upstream.parameters())


def vgg16_features() -> nn.Module:
    """Our VGG-16 with weights for its convolutions alone, in evaluation; the rest is vast."""
    with torch.device("meta"):
        vgg = nets.create("vgg16")
    vgg.features.to_empty(device="cpu")
    for module in vgg.features.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            nn.init.normal_(module.bias, std=0.1)
    return vgg.eval()


@pytest.mark.parametrize("name", STREAMS.values())
def test_vgg16_starts_the_backbone(name: str) -> None:
    vgg, net = vgg16_features(), nets.create(name).eval()
    head = net.agg1.conv5.weight.clone()
    report = load_matching(net, backbone_weights(vgg.state_dict()))
    assert len(report.loaded) == 13 * (2 + 5)
    assert not report.different
    assert not report.unexpected
    assert torch.equal(net.agg1.conv5.weight, head)
    before_pools = []
    x = pictures = torch.randn(1, 3, 48, 64)
    with torch.no_grad():
        for layer in vgg.features:
            if isinstance(layer, nn.MaxPool2d):
                before_pools.append(x)
            x = layer(x)
        for ours, theirs in zip(net.taps(pictures), before_pools[2:], strict=True):
            torch.testing.assert_close(ours, theirs)


def test_torchvisions_names_are_ours() -> None:
    import torchvision

    with torch.device("meta"):
        theirs = torchvision.models.vgg16_bn().state_dict()
        expected = {n for n in nets.create("a2dele").state_dict() if n.startswith(("conv", "bn"))}
        plain = torchvision.models.vgg16().state_dict()
    assert set(backbone_weights(theirs)) == expected
    for other in (plain, nets.create("lenet").state_dict(), {}):
        with pytest.raises(InputError, match="not those of VGG-16 with batch norms"):
            backbone_weights(other)


def test_a_narrow_backbone_cannot_start_from_vgg16() -> None:
    weights = {"features.0.weight": torch.ones(64, 3, 3, 3)}
    with torch.device("meta"):
        weights |= nets.create("vgg16").state_dict()
    with pytest.raises(InputError, match=r"none of these weights fit.*the net has conv1_1\.weight"):
        load_matching(nets.create("a2dele", width=0.5), backbone_weights(weights))


@pytest.mark.parametrize("name", STREAMS.values())
@pytest.mark.parametrize("profile", ["mended", "upstream"])
@pytest.mark.parametrize("size", [(37, 70), (16, 1), (50, 48)])
def test_any_size_is_a_larger_picture_cut_back(
    name: str, profile: str, size: tuple[int, int]
) -> None:
    net = nets.create(name, width=0.1, profile=profile).eval()
    picture = torch.rand(2, 1 if name == "a2dele-depth" else 3, *size)
    below, right = -size[0] % 16, -size[1] % 16
    larger = torch.cat([picture, picture[:, :, -1:].expand(-1, -1, below, -1)], dim=2)
    larger = torch.cat([larger, larger[:, :, :, -1:].expand(-1, -1, -1, right)], dim=3)
    for ours, whole in zip(outputs_of(net, picture), outputs_of(net, larger), strict=True):
        assert ours.shape[2:] == size
        torch.testing.assert_close(ours, whole[:, :, : size[0], : size[1]])


@pytest.mark.parametrize("factor", [2, 4, 8, 16])
def test_mended_enlargement_leaves_things_where_they_are(factor: int) -> None:
    """A map that holds the place of each of its pixels holds, enlarged, that of each of the new."""
    places = (torch.arange(12.0) + 0.5) * factor
    half = factor // 2  # Beyond the outermost centres there is nothing to go by.
    truth = torch.arange(12.0 * factor) + 0.5
    x = places.expand(1, 1, 12, 12)
    mended, upstream = (
        Enlarge(factor, profile=p)(x)[0, 0, 0] - truth for p in ("mended", "upstream")
    )
    assert mended[half:-half].abs().max() < 1e-4
    assert upstream[half:-half].abs().max() > 0.4 * (half - 0.5)


def test_what_the_mended_depth_stream_sees() -> None:
    """The same weights compute the same once depth's range and the enlargement are made equal."""
    mended = nets.create("a2dele-depth", width=0.1).eval()
    upstream = nets.create("a2dele-depth", width=0.1, profile="upstream").eval()
    upstream.load_state_dict(mended.state_dict())
    for module in upstream.modules():
        if isinstance(module, Enlarge):
            module.align_corners = False
    depth = torch.rand(2, 1, 32, 48)
    (ours,) = outputs_of(mended, depth)
    (theirs,) = outputs_of(upstream, (depth - MEAN) / DEVIATION * 255)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_depth_divided_twice_is_lost_on_the_first_norm() -> None:
    """Its ε outweighs the variance of what is left, so that the norm cannot bring it to one."""
    depth = torch.rand(2, 1, 64, 64)
    deviations = {}
    for profile in ("mended", "upstream"):
        net = nets.create("a2dele-depth", width=0.25, profile=profile)
        seen: list[Tensor] = []
        net.bn1_1.register_forward_hook(lambda *args, seen=seen: seen.append(args[2]))
        net(depth)
        deviations[profile] = seen[0].transpose(0, 1).flatten(1).std(1)
    torch.testing.assert_close(deviations["mended"], torch.ones(16), rtol=0, atol=0.01)
    assert deviations["upstream"].median() < 0.6


def test_nothing_restores_what_the_gates_have_closed() -> None:
    net = nets.create("a2dele", width=0.1).eval()
    pictures = torch.rand(2, 3, 64, 64)
    open_logits = outputs_of(net, pictures)[0]
    assert (open_logits[0] - open_logits[1]).abs().max() > 1e-4
    for attention in (net.att_1, net.att_2, net.att_3):
        nn.init.zeros_(attention.weight)
        nn.init.constant_(attention.bias, -1000)
    closed = outputs_of(net, pictures)[0]
    assert torch.equal(closed[0], closed[1])


@pytest.mark.parametrize("name", STREAMS.values())
def test_first_loss_is_that_of_a_guess_and_a_batch_is_learnt_by_heart(name: str) -> None:
    net = nets.create(name, width=0.125)
    masks = torch.zeros(4, 32, 48, dtype=torch.long)
    for i in range(4):
        masks[i, 4 + 4 * i : 16 + 4 * i, 4 + 8 * i : 20 + 8 * i] = 1
    channels = 1 if name == "a2dele-depth" else 3
    pictures = 0.5 * torch.rand(4, channels, 32, 48) + 0.5 * masks[:, None]
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for _ in range(60):
        outputs = net(pictures)
        logits = outputs[0] if isinstance(outputs, tuple) else outputs
        loss = nn.functional.cross_entropy(logits, masks)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(math.log(2), abs=0.1)
    assert losses[-1] < 0.3 * math.log(2)


def test_on_lite0_the_taps_are_those_of_the_published_net() -> None:
    """With its weights, which the logits of another program prove; and as they once were."""
    x = torch.from_numpy(np.random.default_rng(100).uniform(-1, 1, (2, 3, 224, 224)).astype("f4"))
    published = nets.create("efficientnet-lite0").eval()
    published.load_state_dict(imagenet_weights("efficientnet-lite0"))
    recipe = SaliencyRecipe(net="a2dele-lite0", init="imagenet")
    net, start = start_net(find("saliency"), recipe, ("subject",), {})
    assert start.colours.mean == nets.colours("efficientnet-lite0").mean
    assert len(start.loaded) == sum(name.startswith("backbone.") for name in net.state_dict())
    with torch.no_grad():
        taps, maps = net.eval().taps(x), published.feature_maps(x)[1:4]
    golden = ((-0.239767, 11.089523), (-1.757720, 6.998430), (-0.377790, 3.942920))
    for ours, theirs, (mean, deviation) in zip(taps, maps, golden, strict=True):
        torch.testing.assert_close(ours, theirs)
        assert ours.mean().item() == pytest.approx(mean, abs=1e-4)
        assert ours.std().item() == pytest.approx(deviation, rel=1e-4)
