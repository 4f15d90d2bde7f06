"""`viewfinder compose`: from captures to a set that every other verb opens."""

import json
from dataclasses import fields

import numpy as np
import pytest

from viewfinder.composing.composition import Composition
from viewfinder.pictures.writing import write_mask, write_picture


@pytest.fixture
def captures(tmp_path):
    """Two classes of squares, three frames each."""
    mask = np.zeros((60, 80), np.bool_)
    mask[15:45, 25:55] = True
    for name, colour in (("Tasse ☕", (200, 60, 60)), ("box", (60, 60, 200))):
        for i in range(3):
            picture = np.full((60, 80, 3), 90, np.uint8)
            picture[mask] = colour
            write_picture(tmp_path / "captures" / name / "frames" / f"{i}.png", picture)
            write_mask(tmp_path / "captures" / name / "masks" / f"{i}.png", mask)
    return tmp_path / "captures"


@pytest.fixture
def places(tmp_path):
    random = np.random.default_rng(0)
    for name in ("Küche.png", "2.png"):
        write_picture(tmp_path / "places" / name, random.integers(0, 256, (90, 120, 3), np.uint8))
    return tmp_path / "places"


def test_a_set_that_other_verbs_open(ask, captures, places, tmp_path):
    out = tmp_path / "öut"
    words = [captures, out, "--backgrounds", places, "--count", "5", "--size", "96", "64"]
    status, told, err = ask("compose", *words, "--objects", "3", "3", "--json")
    document = json.loads(told)
    assert (status, err) == (0, "")
    assert (document["pictures"], list(document["classes"])) == (5, ["Tasse ☕", "box"])
    assert document["boxes"] == sum(document["classes"].values()) > 5
    status, told, _ = ask("check", out, "--json")
    assert (status, json.loads(told)["counts"]["boxes"]) == (0, document["boxes"])
    assert ask("convert", out, tmp_path / "yolo", "--to", "yolo")[0] == 0
    status, told, err = ask("compose", *words)
    assert (status, told) == (2, "")
    assert "exists already" in err


def test_tables_are_the_backgrounds_unless_told_otherwise(ask, captures, tmp_path):
    words = ["--count", "2", "--size", "64", "48", "--seed", "7"]
    status, told, err = ask("compose", captures, tmp_path / "out", *words)
    assert (status, err) == (0, "")
    assert told.startswith(f"{tmp_path / 'out'}: COCO, 2 classes, 2 train, ")
    assert "Tasse ☕: " in told
    ask("compose", captures, tmp_path / "again", *words)
    one, other = tmp_path / "out/images/train", tmp_path / "again/images/train"
    assert [f.read_bytes() for f in sorted(one.iterdir())] == [
        f.read_bytes() for f in sorted(other.iterdir())
    ]


def test_the_help_tells_the_defaults(ask):
    told = " ".join(ask("compose", "--help")[1].split())
    for setting in fields(Composition):
        value = setting.default
        numbers = " ".join(map(str, value if isinstance(value, tuple) else (value,)))
        start = told.index(f"--{setting.name} ")
        assert f"(default: {numbers})" in told[start : start + 220], setting.name


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["CAPTURES", "OUT", "--count", "0"], "at least one scene"),
        (["CAPTURES", "OUT", "--backgrounds", "NOWHERE"], "there is no folder"),
        (["NOWHERE", "OUT"], "there is no folder"),
        (["PLACES", "OUT"], "nothing to cut out"),
        (["CAPTURES", "OUT", "--hidden", "2"], "hidden must be from 0 to 1"),
        (["CAPTURES", "OUT", "--seed", "-1"], "seed"),
        (["CAPTURES", "OUT", "--size", "4", "4"], "16 to 8192"),
    ],
    ids=" ".join,
)
def test_one_line_says_what_is_wrong(ask, captures, places, tmp_path, words, says):
    named = {"CAPTURES": captures, "OUT": tmp_path / "out", "PLACES": places}
    named["NOWHERE"] = tmp_path / "nowhere"
    status, out, err = ask("compose", *(named.get(word, word) for word in words))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert not (tmp_path / "out").exists()
