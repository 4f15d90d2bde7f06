"""In a notebook, what functions return shows itself, and a training shows a bar."""

import base64
import re
import shutil
from dataclasses import replace

import nbclient
import nbformat
import numpy as np
import pytest
from torch import nn

from viewfinder.errors import InputError
from viewfinder.explain.explaining import explain
from viewfinder.inference.answers import Answer
from viewfinder.inference.showing import Predictions
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks.classify.probabilities import ClassProbabilities

# A notebook is kept whole, in JSON: what a cell adds to it must stay small.
_MOST_BYTES = 400_000


@pytest.fixture(scope="module")
def cells(small_set, tmp_path_factory):
    """What each cell of a notebook puts out."""
    place = tmp_path_factory.mktemp("notebook")
    shutil.copytree(small_set, place / "photos")
    sources = [
        "import viewfinder\n"
        "run = viewfinder.train('classify', 'photos', out='run', epochs=2, batch=18, "
        "precision='32', keep='memory', net='lenet')",
        "run",
        "run.predict('photos/test')",
        "run.predict('photos/test')[:2]",
        "viewfinder.explain(run.net(), (1, 3, 32, 32))",
        "viewfinder.explain(run.net(), (1, 3, 36, 36))",
        "scores = run.evaluate('photos', split='val')\nscores",
        "import json\njson.loads(json.dumps(scores)) == scores, scores['accuracy'] <= 1",
        "print(run)",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in sources])
    client = nbclient.NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(place)}}
    )
    client.execute()
    nbformat.write(book, place / "book.ipynb")
    return [cell.outputs for cell in book.cells]


def html_of(outputs):
    (shown,) = (output for output in outputs if output.output_type == "execute_result")
    text = shown.data["text/html"]
    assert len(text) < _MOST_BYTES
    return text


def test_a_training_shows_one_bar_that_ends_in_its_figures(cells):
    bars = [output for output in cells[0] if output.output_type == "display_data"]
    assert len(bars) == 1
    last = r"<div>epoch 2 of 2  loss \d\.\d+  val accuracy \d+\.\d%"
    assert re.search(last, bars[0].data["text/html"])
    streams = [output for output in cells[0] if output.output_type == "stream"]
    assert {output.name for output in streams} == {"stdout"}, "the other looks like an alarm"
    told = "".join(output.text for output in streams)
    assert not re.search(r"\W--[a-z]", told), "flags are the shell's"
    assert "\x1b" not in told
    assert "epoch 1 of 2" not in told


def test_a_run_shows_its_scores_and_curves(cells):
    text = html_of(cells[1])
    assert "<td>validation</td><td>18</td>" in text
    curves = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', text)
    assert len(curves) == 2
    assert all(b"</svg>" in base64.b64decode(curve) for curve in curves)
    assert 'href="run/report.html"' in text
    assert "What to try:" in text
    assert "3 classes" in text


def test_a_run_prints_as_one_line(cells):
    (printed,) = cells[8]
    assert re.fullmatch(r"run: classify, lenet, \d+ classes \([^\n]+\)\n", printed.text)


def test_predictions_show_their_pictures_the_first_twelve(cells):
    text = html_of(cells[2])
    assert text.count('src="data:image/jpeg;base64,') == 12
    assert text.count("alt=") == 12
    assert "18 answers, 6 of them not shown" in text
    assert html_of(cells[3]).count("alt=") == 2


def test_scores_show_as_tables_and_are_a_dictionary(cells):
    text = html_of(cells[6])
    assert "<td>validation</td><td>18" in text
    assert "<th>accuracy</th>" in text
    assert len(re.findall(r"<tr><td>(?:amber|blue|green)</td><td>", text)) == 3
    (shown,) = cells[7]
    assert shown.data["text/plain"] == "(True, True)"


def test_an_explanation_shows_its_layers_and_its_mistake(cells):
    assert "N = (32 − 5 + 2·0)/1 + 1 = 28" in html_of(cells[4])
    assert "It stops at" not in html_of(cells[4])
    assert "fc1 expects 800 features" in html_of(cells[5])


def test_names_of_strangers_are_text(tmp_path):
    write_picture(tmp_path / "a&b.png", np.zeros((16, 16, 3), np.uint8))
    sure = ClassProbabilities(np.ones(1, np.float32))
    answer = Answer(str(tmp_path / "a&b.png"), (16, 16), sure)
    text = Predictions([answer], classes=("<b>",))._repr_html_()
    assert 'alt="a&amp;b.png: &lt;b&gt; 100%"' in text
    assert "<figcaption>a&amp;b.png</figcaption>" in text, "the answer is written on the picture"
    gone = Predictions([replace(answer, source="gone.png")], classes=("<b>",))
    assert "cannot be read any more" in gone._repr_html_()
    assert "<figcaption>gone.png: &lt;b&gt; 100%</figcaption>" in gone._repr_html_()
    about = {"source": "gone.png", "width": 16, "height": 16}
    assert gone == [about | {"label": "<b>", "scores": {"<b>": 1.0}}]


def test_a_deep_net_shows_its_first_and_last_layers():
    layers = [nn.Conv2d(3, 3, 1) for _ in range(150)]
    text = explain(nn.Sequential(*layers, nn.Flatten()), (1, 3, 8, 8))._repr_html_()
    assert "… 31 more, which <code>.layers</code> has …" in text
    assert "<code>99</code>" in text
    assert "<code>100</code>" not in text
    assert "<code>150</code>" in text
    assert len(text) < _MOST_BYTES


def test_explain_says_what_it_takes_where_it_is_given_a_name():
    with pytest.raises(InputError, match=r"of type str: viewfinder\.nets\.create\('lenet'\)"):
        explain("lenet", (1, 3, 32, 32))
