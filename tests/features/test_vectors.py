"""Vectors are what the last layer is asked of, made once for each picture and net."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.features import vectors as vectors_module
from viewfinder.features.store import keep_vectors, kept_vectors
from viewfinder.features.vectors import make_extractor, vectors, views
from viewfinder.files import cache_folder


class Counting(nn.Module):
    """A net that counts the pictures that it is asked about."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.last = nn.Linear(5, 4)
        self.asked = 0

    def forward(self, x):
        self.asked += len(x)
        return self.last(self.body(x).flatten(1))


def ask(net, pictures):
    return net(pictures.float() / 255)


@pytest.fixture
def pictures():
    return torch.randint(0, 256, (7, 3, 12, 10), dtype=torch.uint8)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))


KEYS = [bytes([n]) * 16 for n in range(7)]


def test_they_are_the_inputs_of_the_last_layer(pictures):
    net = Counting().eval()
    made = vectors(make_extractor(net, ask, size=(10, 12), made=""), lambda n: pictures[n], KEYS)
    expected = net.body(pictures.float() / 255).flatten(1).detach().numpy()
    np.testing.assert_allclose(made, expected, atol=1e-6)


def test_each_picture_is_asked_once_and_new_ones_by_fours(pictures):
    net = Counting().eval()
    extractor = make_extractor(net, ask, size=(10, 12), made="")
    first = vectors(extractor, lambda n: pictures[n], KEYS[:5])
    net.asked = 0
    again = vectors(extractor, lambda n: pictures[n], KEYS)
    assert net.asked == 4  # two new ones, filled up
    np.testing.assert_array_equal(first, again[:5])


def test_cores_have_a_batch_each_and_leave_the_threads_of_others_alone(pictures, monkeypatch):
    monkeypatch.setattr(vectors_module, "_BATCH", 1)
    usual, seen = torch.get_num_threads(), []
    torch.set_num_threads(3)
    try:
        net = Counting().eval()

        def look(net, pictures):
            seen.append((threading.get_ident(), torch.get_num_threads()))
            return ask(net, pictures)

        extractor = make_extractor(net, look, size=(10, 12), made="")
        mirrored = replace(extractor, ask=lambda n, x: look(n, x.flip(3)), name="mirrored")
        seen.clear()
        both = views([extractor, mirrored], lambda n: pictures[n], KEYS)
        later = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert [torch.get_num_threads(), *later] == [3, 3]
    finally:
        torch.set_num_threads(usual)
    assert {threads for _, threads in seen} == {1}
    assert len(seen) == 2 * 7
    expected = [net.body(each.float() / 255).flatten(1) for each in (pictures, pictures.flip(3))]
    np.testing.assert_allclose(both, torch.stack(expected, 1).detach(), atol=1e-6)
    np.testing.assert_array_equal(vectors(mirrored, lambda n: pictures[n], KEYS), both[:, 1])


def test_other_weights_another_size_and_another_way_to_give_pictures_are_other_vectors():
    net = Counting().eval()
    names = {make_extractor(net, ask, size=(10, 12), made="").name}
    names |= {make_extractor(net, ask, size=(12, 12), made="").name}
    names |= {make_extractor(net, ask, size=(10, 12), made="mirrored").name}
    with torch.no_grad():
        net.last.weight += 1
    assert make_extractor(net, ask, size=(10, 12), made="").name in names
    with torch.no_grad():
        net.body[0].bias += 1
    assert make_extractor(net, ask, size=(10, 12), made="").name not in names


@pytest.mark.parametrize(
    "harm", [lambda d: d[:-3], lambda d: d + b"abc", lambda d: d[:30] + b"\0" + d[31:]]
)
def test_what_a_killed_process_or_a_bad_disk_leaves_is_made_again(harm, pictures):
    net = Counting().eval()
    extractor = make_extractor(net, ask, size=(10, 12), made="")
    whole = vectors(extractor, lambda n: pictures[n], KEYS)
    (file,) = (cache_folder() / "features").iterdir()
    file.write_bytes(harm(file.read_bytes()))
    np.testing.assert_array_equal(vectors(extractor, lambda n: pictures[n], KEYS), whole)
    assert len(kept_vectors(extractor.name, 5, KEYS)) == 7
    keep_vectors(extractor.name, {b"x" * 16: np.ones(5, np.float32)})
    assert len(kept_vectors(extractor.name, 5, [*KEYS, b"x" * 16])) == 8
    assert list(kept_vectors(extractor.name, 5, KEYS[:1])) == KEYS[:1]


def test_a_cache_that_cannot_be_written_stops_nobody(pictures, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "file"))
    extractor = make_extractor(Counting().eval(), ask, size=(10, 12), made="")
    assert vectors(extractor, lambda n: pictures[n], KEYS).shape == (7, 5)


@pytest.mark.parametrize(
    ("name", "width"), [("lenet", 84), ("efficientnet-lite0", 1280), ("resnet18", 512)]
)
def test_every_classifier_has_a_last_layer(name, width):
    net = nets.create(name, classes=3).eval()
    assert make_extractor(net, ask, size=nets.input_size(name)[:1] * 2, made="").width == width


def test_a_net_without_one_is_refused():
    with pytest.raises(InputError, match="does not end in a linear layer"):
        make_extractor(
            nn.Sequential(nn.Linear(3, 3), nn.ReLU()),
            lambda net, x: net(x[:, :, 0, 0].float()),
            size=(4, 4),
            made="",
        )
