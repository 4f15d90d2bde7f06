"""How well pictures that are unlike what was learnt are told from others, by distance and by score.

    python benchmarks/out_of_set.py RUN DATA OTHER…
    python benchmarks/out_of_set.py --withhold cat,truck --net lenet DATA

Of the test pictures of DATA, which RUN was trained on, and of pictures of OTHER folders: the area
under the ROC curve (0.5 is chance), and the share that `predict --refuse-unlike 0.05` refuses. With
--withhold a classifier is trained without some classes, whose test pictures are the others.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.api import Run, open_run, train
from viewfinder.inference.answers import Answer
from viewfinder.pictures.finding import pictures_below
from viewfinder.tasks.classify.probabilities import ClassProbabilities
from viewfinder.tasks.detect.detections import Detections

SHARE, MOST = 0.05, 500


def asked(run: Run, files: list[Path]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The distance of each picture, and how unsure its answer is."""
    random = np.random.default_rng(0)
    chosen = [files[n] for n in np.sort(random.permutation(len(files))[:MOST])]
    with tempfile.TemporaryDirectory() as place:
        for number, file in enumerate(chosen):
            (Path(place) / f"{number:05}{file.suffix}").symlink_to(file.resolve())
        answers = run.predict(place, refuse_unlike=SHARE).answers
    return np.array([each.distance for each in answers]), np.array([*map(unsure, answers)])


def unsure(answer: Answer) -> float:
    value = answer.value
    if isinstance(value, ClassProbabilities):
        return 1 - float(value.probabilities.max())
    assert isinstance(value, Detections), "subjects have no score"
    return 1 - float(value.scores.max(initial=0))


def auroc(known: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """How often another's value is greater than a known one's; ties count half."""
    apart = other[:, None] - known[None]
    return float((apart > 0).mean() + (apart == 0).mean() / 2)


def tell(run: Run, known: list[Path], others: dict[str, list[Path]]) -> None:
    distances, doubts = asked(run, known)
    refused = float((distances > 1).mean())
    print(f"{len(distances)} known pictures, {refused:.1%} refused at {SHARE:.0%}")
    for name, files in others.items():
        far, unsure_of = asked(run, files)
        print(
            f"{name:24s} {len(far):4d} pictures  AUROC {auroc(distances, far):.3f} by distance, "
            f"{auroc(doubts, unsure_of):.3f} by score; {float((far > 1).mean()):.1%} refused",
            flush=True,
        )


def below(folder: Path) -> list[Path]:
    return [folder / name for name in pictures_below(folder)]


def test_files(run: Run, data: Path) -> list[Path]:
    """Those that the run neither learnt from nor was chosen by."""
    from viewfinder.datasets.digests import picture_digests
    from viewfinder.datasets.opening import open_dataset
    from viewfinder.runs.pictures import read_pictures

    dataset, sides = open_dataset(data, deal=False), read_pictures(run.folder)
    digests = picture_digests(dataset)
    return [dataset.file(n) for n, each in enumerate(digests) if sides.get(each) == "test"]


def without(data: Path, names: list[str], net: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        for side in ("train", "test"):
            for folder in sorted((data / side).iterdir()):
                if folder.name not in names:
                    (Path(place) / "set" / side).mkdir(parents=True, exist_ok=True)
                    (Path(place) / "set" / side / folder.name).symlink_to(folder.resolve())
        root = Path(place) / "set"
        run = train("classify", root, out=Path(place) / "run", net=net)
        others = {name: below(data / "test" / name) for name in names}
        tell(run, test_files(run, root), others)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("given", nargs="+", type=Path)
    parser.add_argument("--withhold")
    parser.add_argument("--net", default="lenet")
    given = parser.parse_args()
    if given.withhold:
        without(given.given[0], given.withhold.split(","), given.net)
        return
    run = open_run(given.given[0])
    others = {folder.name: below(folder) for folder in given.given[2:]}
    tell(run, test_files(run, given.given[1]), others)


if __name__ == "__main__":
    main()
