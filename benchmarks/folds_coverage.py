"""How often the interval of `--folds` covers the accuracy on new pictures.

    uv run python benchmarks/folds_coverage.py DATA [DRAWS [EPOCHS [FOLDS [PICTURES]]]]
    uv run python benchmarks/folds_coverage.py DATA [DRAWS] --usual

DATA: train/ and test/ with class folders. In each draw as many pictures of every class are taken
from train/ (100 in all, if not told otherwise); the recipe is judged by folds of them, and then
its last net, of all of them, by test/. Aim: 95 % of the draws, and no less than 85 %. The draws
overlap where train/ is small, so that they are a little more alike than new sets would be. With
`--usual` the recipe is that of `train classify` where nothing is said, a last layer on a
pretrained net; without it LeNet learns for EPOCHS.
"""

import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import viewfinder
from viewfinder.evaluation.fitting import FitVerdict
from viewfinder.evaluation.sampling import wilson
from viewfinder.training import train as training


def drawn(data: Path, out: Path, pictures: int, seed: int) -> Path:
    """A set whose test side is that of DATA, and whose train side are a few of its pictures."""
    (out / "test").symlink_to((data / "test").resolve())
    classes = sorted(folder for folder in (data / "train").iterdir() if folder.is_dir())
    chooser = random.Random(seed)
    for folder in classes:
        files = sorted(folder.iterdir())
        place = out / "train" / folder.name
        place.mkdir(parents=True)
        for file in chooser.sample(files, pictures // len(classes)):
            shutil.copy(file, place)
    return out


def main() -> None:
    data = Path(sys.argv[1])
    usual = "--usual" in sys.argv
    given = [int(word) for word in sys.argv[2:] if word != "--usual"]
    draws, epochs, folds, pictures = given + [10, 10, 5, 100][len(given) :]
    covered, widths, methods = 0, [], []
    # Drawing reports would take longer than training.
    training.write_report = lambda *_, **__: FitVerdict("unknown", "", ())  # type: ignore[attr-defined]
    for draw in range(draws):
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as made:
            place = Path(made) / "set"
            place.mkdir()
            lenet = {"net": "lenet", "epochs": epochs, "batch": 20, "precision": "32"}
            fields = {"head": "auto"} if usual else lenet
            run = viewfinder.train(
                "classify",
                drawn(data, place, pictures, draw),
                out=Path(made) / "run",
                folds=folds,
                seed=draw,
                **fields,
            )
            scores = json.loads(run.scores_file.read_text(encoding="utf-8"))
        told, truth = scores["folds"], scores["test"]["accuracy"]
        held = told["low"] <= truth <= told["high"]
        covered += held
        widths.append(told["high"] - told["low"])
        methods.append(told["method"])
        print(
            f"draw {draw}: folds {told['mean']:.1%} ({told['low']:.1%} to {told['high']:.1%}, "
            f"{told['method']}), {truth:.1%} of {scores['test']['images']:,} new pictures: "
            f"{'covered' if held else 'missed'}; {time.perf_counter() - begun:.0f} s",
            flush=True,
        )
    low, high = wilson(covered / draws, draws)
    print(
        f"covered in {covered} of {draws} draws ({covered / draws:.0%}; 95 % interval {low:.0%} to "
        f"{high:.0%}); mean width {100 * sum(widths) / draws:.1f} points; Wilson's in "
        f"{methods.count('Wilson')}; {pictures} pictures, {folds} folds, "
        + ("what is usual" if usual else f"lenet, {epochs} epochs in batches of 20")
    )


if __name__ == "__main__":
    main()
