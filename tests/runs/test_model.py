"""A model is a value: whatever it was opened from, another process answers alike with it."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from viewfinder import nets
from viewfinder.inference.export import export_onnx
from viewfinder.inference.opening import open_model
from viewfinder.inference.predict import find_pictures, predict
from viewfinder.nets.darknet import write_weights
from viewfinder.pictures.writing import write_picture

_ASK = """
import json, pickle, sys
from pathlib import Path
import torch
from viewfinder.inference.predict import predict

torch.set_num_threads(int(sys.argv[3]))
model = pickle.loads(Path(sys.argv[1]).read_bytes())
answers = predict(model, sys.argv[2], device=torch.device("cpu"), threshold=0.001)
print(json.dumps([answer.as_json(model.config.classes) for answer in answers]))
"""


def of_run(small_run, small_set, folder):
    return small_run


def of_onnx(small_run, small_set, folder):
    file = folder / "a.onnx"
    export_onnx(open_model(small_run), file, pictures=find_pictures(small_set / "test"))
    return file


def of_darknet(small_run, small_set, folder):
    torch.manual_seed(0)
    write_weights(nets.create("yolov3-tiny", classes=80), folder / "a.weights")
    return folder / "a.weights"


@pytest.mark.parametrize("made_of", [of_run, of_onnx, of_darknet, None])
def test_a_model_answers_alike_in_another_process(small_run, small_set, tmp_path, made_of):
    source = tmp_path / "pictures"
    random = np.random.default_rng(0)
    for number in range(2):
        write_picture(source / f"{number}.png", random.integers(0, 255, (40, 60, 3), np.uint8))
    model = open_model(made_of(small_run, small_set, tmp_path) if made_of else "coco")
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    words = (tmp_path / "model.pickle", source, torch.get_num_threads())
    done = subprocess.run(
        [sys.executable, "-c", _ASK, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers = list(predict(model, str(source), device=torch.device("cpu"), threshold=0.001))
    assert json.loads(done.stdout) == [a.as_json(model.config.classes) for a in answers]
    assert len(answers) == 2
