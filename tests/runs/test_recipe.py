"""Every choice of a training: what is refused and by which name, and the way to JSON and back."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.task import Classify
from viewfinder.tasks.recipe import differing_fields
from viewfinder.tasks.run_weights import new_net

NAN, INF = math.nan, math.inf
OUT_OF_RANGE = {
    "epochs": [0, -1],
    "batch": [0],
    "devices": [0],
    "size": [0, -32, 10**6],
    "minutes": [0, -1.0, NAN, INF],
    "patience": [0],
    "learning_rate": [0.0, -0.1, NAN, INF],
    "weight_decay": [-1e-9, NAN, INF],
    "clip": [-1.0, NAN],
    "scale": [-0.1, NAN],
    "turn": [-1.0, INF],
    "warmup": [-0.1, 1.1, NAN],
    "label_smoothing": [1.5],
    "shift": [1.01],
    "flip": [-0.5, 2.0],
    "freeze": [-0.1, 1.5],
    "colour": [1.1],
    "erase": [NAN],
    "momentum": [1.0, -0.1],
    "average": [1.0],
    "val_share": [1.0, -0.1],
    "seed": [-1, 2**31],
}
WRONG_TYPES = {
    "net": [None, 5],
    "init": [None, ["random"]],
    "head": ["half", None, 1],
    "unlabelled": [5, ["photos"]],
    "options": ["width=0.5", [1], None],
    "epochs": ["ten", 2.5, None, True, [1]],
    "learning_rate": ["fast", None, {}],
    "minutes": ["1"],
    "optimiser": ["adam", None],
    "mirror": [1, "yes"],
    "balanced": [1, "yes", None],
    "precision": ["fp8", 16, None, []],
    "compile": [1, "yes", None],
    "device": ["tpu", None],
    "keep": ["ram"],
    "seed": [0.5, "0"],
}
BAD = [(n, v) for table in (OUT_OF_RANGE, WRONG_TYPES) for n, vs in table.items() for v in vs]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_value_that_cannot_be_meant_is_refused_by_its_flag(name, value):
    with pytest.raises(InputError, match=f"^--{name.replace('_', '-')} must be "):
        ClassifyRecipe.from_json({name: value})


def test_every_numeric_field_is_among_those_tested():
    fields = {field.name for field in dataclasses.fields(ClassifyRecipe)}
    assert set(OUT_OF_RANGE) | set(WRONG_TYPES) == fields


def test_options_are_read_as_numbers_truth_values_and_words():
    written = ("width=0.5", "n=3", "a=true", "b=False", "stem=small", "e=", "f=x=y", "g=1e-3")
    read = ClassifyRecipe(options=written).net_options()
    assert read == {
        "width": 0.5,
        "n": 3,
        "a": True,
        "b": False,
        "stem": "small",
        "e": "",
        "f": "x=y",
        "g": 0.001,
    }
    assert type(read["n"]) is int


@pytest.mark.parametrize(
    "code", ["__import__('os')", "((((" * 50_000, "-" * 50_000 + "1", "9" * 5000, "[1, 2]", "\0"]
)
def test_an_options_value_is_never_run(code):
    value = ClassifyRecipe(options=(f"width={code}",)).net_options()["width"]
    assert value == code or isinstance(value, float)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("width", "name=value"),
        ("=3", "name=value"),
        ("a b=3", "name=value"),
        ("size=64", "--size"),
        ("classes=3", "data set"),
        ("name=vgg16", "--net"),
    ],
)
def test_what_is_no_option_is_refused(option, says):
    with pytest.raises(InputError, match=f"^--options .*{says}"):
        ClassifyRecipe(options=(option,))


@pytest.mark.parametrize(
    ("net", "option"),
    [
        ("resnet18", "width=x"),
        ("resnet18", "width=nan"),
        ("resnet18", "width=1e999"),
        ("resnet18", "stem=huge"),
        ("alexnet", "width=0"),
        ("lenet", "dropout=2"),
        ("lenet", "dropout=true"),
        ("lenet", "depth=3"),
        ("vgg16", "downsample=sideways"),
    ],
)
def test_a_net_refuses_an_option_that_makes_no_sense(net, option):
    with pytest.raises(InputError, match=option.split("=")[0]):
        new_net(net, 3, ClassifyRecipe(net=net, options=(option,)).net_options())


def test_a_net_is_told_the_size_of_pictures_if_it_asks():
    told = Classify().net_options(ClassifyRecipe(net="lenet"), None, (64, 64))
    assert new_net("lenet", 3, told).fc1.in_features == 32 * 13 * 13
    assert Classify().net_options(ClassifyRecipe(net="resnet18"), None, (64, 64)) == {}
    with pytest.raises(InputError, match="16"):
        new_net("lenet", 3, {"size": 8})


recipes = st.builds(
    ClassifyRecipe,
    net=st.sampled_from(nets.names()),
    options=st.lists(st.sampled_from(["width=0.5", "stem=small", "图=é"])).map(tuple),
    size=st.none() | st.integers(1, 1000),
    init=st.text(min_size=1),
    epochs=st.integers(1, 10**6),
    minutes=st.none() | st.floats(1e-3, 1e6) | st.integers(1, 100),
    learning_rate=st.floats(1e-300, 1e300),
    weight_decay=st.floats(0, 1),
    flip=st.floats(0, 1),
    momentum=st.floats(0, 1, exclude_max=True),
    balanced=st.booleans(),
    precision=st.sampled_from(["auto", "32", "bf16", "16"]),
    seed=st.integers(0, 2**31 - 1),
)


@given(recipes)
def test_json_and_back_is_the_same_recipe(recipe):
    text = json.dumps(recipe.as_json(), allow_nan=False)
    again = ClassifyRecipe.from_json(json.loads(text))
    assert again == recipe
    assert differing_fields(recipe, again) == []


def test_unknown_fields_are_named():
    with pytest.raises(InputError, match="unknown fields: epoch, lr"):
        ClassifyRecipe.from_json({"lr": 1, "epoch": 2, "batch": 3})


def test_the_fields_that_differ_are_named():
    one, other = ClassifyRecipe(net="lenet"), ClassifyRecipe(net="lenet", epochs=7, keep="disk")
    assert differing_fields(one, other) == [
        "epochs",
        "keep",
    ]


def test_an_option_of_the_net_leaves_the_weights_that_it_starts_from():
    plain, dropping = ClassifyRecipe(), ClassifyRecipe(options=("dropout=0.3",))
    assert differing_fields(plain, dropping) == ["options"]
    assert ClassifyRecipe(net="resnet18").init == "random"


@pytest.mark.parametrize("name", ["init", "net", "unlabelled", "head"])
def test_an_empty_word_is_refused(name):
    with pytest.raises(InputError, match=f"^--{name} is given nothing"):
        ClassifyRecipe(**{name: ""})
