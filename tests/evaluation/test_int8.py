"""A run in 8 bits answers nearly as it did, or is not written."""

import json

import onnx
import pytest

from viewfinder import api
from viewfinder.cli import export as verb
from viewfinder.errors import InputError
from viewfinder.evaluation.int8 import export_int8
from viewfinder.runs.run import open_run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_8_bits_are_written_with_what_they_cost(small_run, small_set, tmp_path):
    run, file = open_run(small_run), tmp_path / "small.onnx"
    parity, cost = export_int8(run, run.model, file)
    assert parity.differences["probabilities"] < 1e-5
    assert cost.figure == "accuracy"
    assert cost.pictures == 18
    assert cost.calibrated == 36
    assert cost.loss <= 0.005
    program = onnx.load(str(file))
    kinds = {each.data_type for each in program.graph.initializer}
    assert onnx.TensorProto.INT8 in kinds
    # Each channel of the first convolution's weights has a scale of its own.
    scales = [each for each in program.graph.initializer if each.name.endswith("weight_scale")]
    assert any(len(each.dims) == 1 and each.dims[0] > 1 for each in scales)
    assert {each.key for each in program.metadata_props} >= {"task", "classes", "size", "scores"}
    # And it stands for the run.
    found, wanted = (
        api.open_run(each).evaluate(small_set, split="val", device="cpu")
        for each in (file, small_run)
    )
    assert found["accuracy"] == pytest.approx(wanted["accuracy"], abs=0.005)
    assert found["loss"] != wanted["loss"]


def test_what_costs_more_than_is_allowed_is_not_written(small_run, tmp_path):
    run, file = open_run(small_run), tmp_path / "small.onnx"
    with pytest.raises(InputError, match=r"cost more than -1.*float32.*ms.*--most-loss") as refused:
        export_int8(run, run.model, file, most_loss=-1.0)
    assert "\n" not in str(refused.value)
    assert not file.exists()


def test_the_flags_that_do_not_go_together_are_refused(small_run, tmp_path):
    for words in ({"answers": "raw"}, {"pictures": str(tmp_path)}):
        with pytest.raises(InputError, match="--int8 gives decoded answers"):
            verb.run(verb.Flags(str(small_run), int8=True, **words))


def test_pictures_that_are_gone_are_told(small_run, tmp_path):
    told = json.loads((small_run / "run.json").read_text())
    told["data"] |= dict.fromkeys(("source", "root"), str(tmp_path / "gone"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(json.dumps(told))
    run = open_run(tmp_path / "run")
    with pytest.raises(InputError, match="are not here, and what 8 bits cost is measured on them"):
        export_int8(run, run.model, tmp_path / "a.onnx")
