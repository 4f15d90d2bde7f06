"""ONNX files of others: what breaks in them is one sentence, and onnxruntime prints nothing."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from viewfinder.errors import InputError
from viewfinder.inference.onnx_files import OnnxFile, parameters_in
from viewfinder.inference.opening import open_model
from viewfinder.inference.predict import predict
from viewfinder.pictures.writing import write_picture


def write_network(file, nodes, *, shape=(1, 3, 32, 32), constants=(), kind=TensorProto.FLOAT):
    graph = helper.make_graph(
        nodes,
        "any",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, None)],
        [onnx.numpy_helper.from_array(np.array(value), name) for name, value in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, file)
    return file


MEAN = [helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=1)]
AXES = [("axes", [1])]


@pytest.mark.parametrize(
    ("nodes", "constants", "shape", "says"),
    [
        ("Reshape", [("a", [7, 11])], (1, 3, 32, 32), "fails on pictures of 32×32: .*Reshape"),
        ("Expand", [("a", [10**6, 3, 900, 900])], (1, 3, 1, 1), "no memory holds|fails on pict"),
        ("Identity", [], (1, 3, 0, 0), "takes pictures of 0×0"),
        ("Identity", [], (1, 3, 100_000, 100_000), "takes pictures of 100000×100000"),
        ("Identity", [], (1, 3, "H", 2**62), "takes pictures of H×4611686018427387904"),
        ("Identity", [], (1, 4, 32, 32), "does not take one picture"),
        ("Identity", [], (3, 32, 32), "does not take one picture"),
        ("Identity", [], (1, 3, 32, 32), "one map of 32×32"),
    ],
)
def test_a_network_that_cannot_answer_is_one_sentence(
    tmp_path, capfd, nodes, constants, shape, says
):
    node = helper.make_node(nodes, ["x", *(name for name, _ in constants)], ["y"])
    file = write_network(tmp_path / "a.onnx", [node], shape=shape, constants=constants)
    with pytest.raises(InputError, match=says) as caught:
        open_model(file)
    words = str(caught.value)
    assert len(words) < 400 + len(str(file))
    assert words.isprintable()
    assert capfd.readouterr() == ("", "")


def test_a_name_that_is_no_text_prints_nothing(tmp_path, capfd):
    node = helper.make_node("Identity", ["x"], ["y"], name="NAME")
    file = write_network(tmp_path / "a.onnx", [node], shape=(1, 3, 32, 32))
    file.write_bytes(
        file.read_bytes().replace(b"NAME", b"N\xa0M\xff").replace(b"Ident", b"Id\xffnt")
    )
    with pytest.raises(InputError, match="is no ONNX network"):
        open_model(file)
    assert capfd.readouterr() == ("", "")


def test_other_numbers_than_float32_are_refused(tmp_path):
    node = helper.make_node("Identity", ["x"], ["y"])
    file = write_network(tmp_path / "a.onnx", [node], kind=TensorProto.FLOAT16)
    with pytest.raises(InputError, match=r"of float32, but 1×3×32×32 of tensor\(float16\)"):
        open_model(file)


@pytest.mark.parametrize("batch", ["N", 1, 2])
def test_a_map_of_any_range_is_brought_to_shares(tmp_path, batch):
    """Whatever number of pictures the file takes at once."""
    file = write_network(tmp_path / "a.onnx", MEAN, constants=AXES, shape=(batch, 3, "H", "W"))
    for number in range(3):
        picture = np.zeros((40, 60, 3), np.uint8)
        picture[10:20, 30:50] = 50 + 50 * number
        write_picture(tmp_path / f"pictures/{number}.png", picture)
    model, cpu = open_model(file), torch.device("cpu")
    answers = list(predict(model, tmp_path / "pictures", device=cpu))
    assert len(answers) == 3
    for answer in answers:
        values = answer.value.map.at_own_size()
        assert (values.min(), values.max()) == pytest.approx((0, 1), abs=0.05)
        assert answer.value.as_json(())["mask"]["box"] == {"x1": 30, "y1": 10, "x2": 50, "y2": 20}


def test_a_file_of_fixed_pictures_is_given_as_many(tmp_path):
    file = write_network(tmp_path / "a.onnx", MEAN, constants=AXES, shape=(4, 3, 8, 8))
    pictures = np.random.default_rng(0).random((6, 3, 8, 8), np.float32)
    (found,) = OnnxFile(file).run(pictures)
    np.testing.assert_allclose(found, pictures.mean(axis=1, keepdims=True), atol=1e-6)


def test_only_what_a_training_finds_is_counted(tmp_path):
    """Not what pictures are normalised by, a norm's statistics, or numbers that scale an answer."""
    made = {"mean": (1, 3, 1, 1), "std": (1, 3, 1, 1), "w": (5, 3, 3, 3), "b": (5,), "gamma": (5,),
            "beta": (5,), "running_mean": (5,), "running_var": (5,), "bias": (5, 1, 1),
            "two": (1,)}  # fmt: skip
    constants = [(name, np.ones(shape, np.float32)) for name, shape in made.items()]
    norm = ["conv", "gamma", "beta", "running_mean", "running_var"]
    nodes = [
        helper.make_node("Sub", ["x", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "std"], ["normal"]),
        helper.make_node("Conv", ["normal", "w", "b"], ["conv"]),
        helper.make_node("BatchNormalization", norm, ["even"]),
        helper.make_node("Add", ["even", "bias"], ["moved"]),
        helper.make_node("Mul", ["moved", "two"], ["y"]),
    ]
    file = write_network(tmp_path / "a.onnx", nodes, constants=constants)
    assert parameters_in(file) == 5 * 27 + 5 + 5 + 5 + 5
