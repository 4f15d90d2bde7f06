"""What a training advises who called a function, as functions are called."""

import pytest

from viewfinder.api.wording import advice_in_python, in_python
from viewfinder.events import FitJudged, Note


@pytest.mark.parametrize(
    ("advice", "told"),
    [
        (
            "start from what others learnt: --net efficientnet-lite0 --init imagenet --head auto",
            'start from what others learnt: net="efficientnet-lite0", init="imagenet", head="auto"',
        ),
        ("train for longer: --epochs 20", "train for longer: epochs=20"),
        ("augment more: --shift 0.1 --scale 0.2", "augment more: shift=0.1, scale=0.2"),
        (
            "take a larger network: --net resnet18 --options stem=small",
            'take a larger network: net="resnet18", options=("stem=small",)',
        ),
        (
            "show every class equally often: --balanced",
            "show every class equally often: balanced=True",
        ),
        (
            "take it: --net yolov3 --init coco (248 MB to fetch once)",
            'take it: net="yolov3", init="coco" (248 MB to fetch once)',
        ),
        ("add pictures: with so few, nothing helps", "add pictures: with so few, nothing helps"),
        ("20 can be held out with --val-share 0.3", "20 can be held out with val_share=0.3"),
        ("try it: viewfinder predict RUN FOLDER", "try it: viewfinder predict RUN FOLDER"),
        (
            "let them learn: viewfinder train classify 'my photos' --head full --folds 5",
            "let them learn: viewfinder.train('classify', 'my photos', head=\"full\", folds=5)",
        ),
    ],
)
def test_flags_are_arguments_and_commands_are_calls(advice, told):
    assert advice_in_python(advice) == told


def test_listeners_hear_it_so():
    heard = []
    listener = in_python(heard.append)
    listener(FitJudged("run", "fine", "It fits: --no flag.", ("longer: --epochs 2",)))
    listener(Note("  viewfinder train detect data --folds 5"))
    listener(Note("something else: --epochs 3"))
    assert heard[0] == FitJudged("run", "fine", "It fits: --no flag.", ("longer: epochs=2",))
    assert heard[1].text == "  viewfinder.train('detect', 'data', folds=5)"
    assert heard[2].text == "something else: --epochs 3"
