"""Pictures of 12 bits in files of 16 are learnt from, and answered, as the same ones of 8."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from viewfinder.cli.main import main
from viewfinder.datasets.bit_depth import with_bits_found
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.evaluation.judging import judge_examples
from viewfinder.inference.predict import predict
from viewfinder.labelling.proposing import find_pictures, propose_by_plate
from viewfinder.runs.run import open_run
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.training.train import train

QUICK = ClassifyRecipe(net="lenet", epochs=12, batch=8, precision="32", keep="memory")
CPU = torch.device("cpu")


def write_stripes(root: Path, *, bits: int, suffix: str = ".png", colour: bool = False) -> Path:
    """Stripes that lie or stand, of 8 bits or of 12 bits in 16."""
    rng = np.random.default_rng(0)
    for side, count in (("train", 16), ("val", 8)):
        for name in ("lying", "standing"):
            for index in range(count):
                wave = np.sin(np.arange(32) * rng.uniform(0.7, 1.1) + rng.uniform(0, 6))
                grey = 120 + 80 * np.broadcast_to(wave, (32, 32)) + rng.normal(0, 8, (32, 32))
                grey = np.clip(grey if name == "standing" else grey.T, 25, 212)
                values = np.rint(grey if bits == 8 else grey * 4095 / 255)
                pixels = values.astype(np.uint8 if bits == 8 else np.uint16)
                pixels = np.dstack([pixels] * 3) if colour else pixels
                file = root / side / name / f"{index}{suffix}"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(cv2.imencode(suffix, pixels)[1].tobytes())
    return root


def test_twelve_bits_are_learnt_from_as_eight_are(tmp_path, capsys):
    eight = train("classify", write_stripes(tmp_path / "8", bits=8), QUICK, out=tmp_path / "one")
    data = write_stripes(tmp_path / "12", bits=12)
    twelve = train("classify", data, QUICK, out=tmp_path / "two")
    assert "16-bit files of 12-bit values, of which 4,095 is white" in capsys.readouterr().err
    assert (eight.manifest.bits, twelve.manifest.bits) == (16, 12)
    assert open_run(twelve.folder).manifest.bits == 12
    assert twelve.manifest.mean == pytest.approx(eight.manifest.mean, abs=1e-3)
    for row, other in zip(eight.history(), twelve.history(), strict=True):
        assert other["loss"] == pytest.approx(row["loss"], abs=0.1)
    assert twelve.history()[-1]["val_accuracy"] == eight.history()[-1]["val_accuracy"] == 1.0
    # What the run is asked later, one picture too, is scaled as in training.
    one = data / "val" / "lying" / "0.png"
    [answer] = predict(twelve.model, one, device=CPU)
    [same] = predict(twelve.model, tmp_path / "8" / "val" / "lying" / "0.png", device=CPU)
    found = answer.value.probabilities
    np.testing.assert_allclose(found, same.value.probabilities, atol=0.01)
    val = open_dataset(data).split("val")
    judged = judge_examples(twelve.model, val, device=CPU)
    np.testing.assert_allclose(judged.answers[0], found, atol=1e-5)
    # A run from before bits were kept goes on as it was.
    old = json.loads((twelve.folder / "run.json").read_text())
    del old["bits"]
    (twelve.folder / "run.json").write_text(json.dumps(old))
    assert open_run(twelve.folder).manifest.bits == 16
    old["bits"] = 11
    (twelve.folder / "run.json").write_text(json.dumps(old))
    with pytest.raises(InputError, match="bits must be one of 10, 12, 14, 16"):
        open_run(twelve.folder)


@pytest.mark.parametrize("keep", ["memory", "disk", "none"])
def test_a_set_is_read_alike_wherever_it_is_kept(tmp_path, keep, monkeypatch):
    from viewfinder.datasets.loading import open_pixels

    one = open_dataset(write_stripes(tmp_path / "8", bits=8, suffix=".tiff", colour=True))
    other = open_dataset(write_stripes(tmp_path / "12", bits=12, suffix=".tiff", colour=True))
    found = with_bits_found(other)
    assert (with_bits_found(one).bits, found.bits) == (16, 12)
    numbers = list(range(len(one)))
    expected = open_pixels(one, (32, 32), keep="memory", cache=tmp_path).take(numbers)
    pixels = open_pixels(found, (32, 32), keep=keep, cache=tmp_path).take(numbers)
    assert int((pixels.int() - expected.int()).abs().max()) <= 1
    # Read by another number of bits, pixels that were kept are not taken for these.
    dark = open_pixels(replace(found, bits=16), (32, 32), keep=keep, cache=tmp_path).take(numbers)
    assert int(dark.max()) < 16


def test_one_picture_of_sixteen_bits_decides(tmp_path, capsys):
    root = write_stripes(tmp_path / "d", bits=12)
    assert main(["check", str(root)]) == 0
    assert "16-bit files of 12-bit values" in capsys.readouterr().out
    assert main(["check", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["bits"] == 12
    bright = np.full((32, 32), 60_000, np.uint16)
    bright[::2] = 9
    (root / "val" / "lying" / "0.png").write_bytes(cv2.imencode(".png", bright)[1].tobytes())
    (root / "val" / "lying" / "1.png").write_bytes(b"no picture")
    assert with_bits_found(open_dataset(root)).bits == 16
    main(["check", str(root)])
    # It decides, and that the others are dark is said.
    assert "46 have no value above 4,095 and 1 has one" in capsys.readouterr().out


def write_greys(root: Path, greatest: list[int]) -> Path:
    """Pictures of noise in files of 16 bits, each with its own greatest value."""
    rng = np.random.default_rng(0)
    for index, most in enumerate(greatest):
        pixels = (rng.random((24, 24)) * most).astype(np.uint16)
        pixels[0, 0] = most
        file = root / ("ab"[index % 2]) / f"{index}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return root


def test_one_file_of_16_bits_among_those_of_12_is_said(tmp_path, capsys):
    data = write_greys(tmp_path, [4000] * 9 + [50_000])
    found = with_bits_found(open_dataset(data))
    assert found.bits == 16
    assert "9 have no value above 4,095 and 1 has one" in found.summary()
    assert [fault.file for fault in found.faults] == ["b/9.png"]
    assert main(["check", str(data)]) == 1
    assert "bits: b/9.png" in capsys.readouterr().out


def test_a_set_that_uses_all_16_bits_is_nothing_to_say(tmp_path):
    found = with_bits_found(open_dataset(write_greys(tmp_path, [60_000, 9000] * 5)))
    assert found.bits == 16
    assert not found.faults


def test_captures_of_12_bits_are_compared_as_those_of_8(tmp_path):
    rng = np.random.default_rng(3)
    for bits in (8, 12):
        kind, factor = (np.uint8, 1) if bits == 8 else (np.uint16, 4095 / 255)
        for index in range(3):
            grey = 120 + np.random.default_rng(1).normal(0, 2, (96, 128))
            if index:
                grey[30:60, 30 + 5 * index : 80] = 200 + rng.normal(0, 2, (30, 50 - 5 * index))
            name = "empty" if not index else f"{index}"
            file = tmp_path / f"{bits}/mug/{name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.rint(np.dstack([grey] * 3) * factor).astype(kind)
            file.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    found = [
        propose_by_plate(tmp_path / str(bits), find_pictures(tmp_path / str(bits))).proposals
        for bits in (8, 12)
    ]
    assert found[0].paths == found[1].paths
    assert len(found[0].found.boxes) == len(found[1].found.boxes) == 2
    assert found[1].found.boxes == pytest.approx(found[0].found.boxes, abs=2)
