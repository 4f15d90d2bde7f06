"""A detector whose net is not trained, but believes in many objects."""

from collections.abc import Mapping
from pathlib import Path

import torch

from viewfinder.runs.run import RunFolder, create_run
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.run_weights import new_net
from viewfinder.training.arrangement import Arrangement, Choice

OPTIONS = {"width": 0.125, "reach": 2.0}


def untrained_detector(
    folder: Path,
    classes: tuple[str, ...],
    *,
    net: str = "yolov3-tiny",
    options: Mapping[str, object] = OPTIONS,
) -> RunFolder:
    """Its run, in a new folder; it takes pictures of 96×64."""
    manifest = Manifest(
        task="detect",
        net=net,
        classes=classes,
        size=(96, 64),
        options=dict(options),
        mean=(0.1, 0.2, 0.3),
        std=(0.5, 0.4, 0.3),
        recipe=DetectRecipe(),
        versions={},
        data={
            "source": "nowhere",
            "root": "",
            "layout": "",
            "fingerprint": "",
            "images": {},
            "per_class": {},
        },
        device="CPU",
        precision=Choice(Arrangement("32", "contiguous"), "as asked for", ()).as_json(),
    )
    run = create_run(folder, manifest)
    torch.manual_seed(0)
    made = new_net(net, len(classes), options)
    for name, parameter in made.named_parameters():
        if "predict" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    run.save_weights(made.state_dict())
    return run
