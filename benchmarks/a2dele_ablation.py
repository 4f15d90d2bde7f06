"""What depth teaches where it is reliable and where not: the shipped ablation on several sets.

    uv run python benchmarks/a2dele_ablation.py OUT [SHARE …]      0.3, 0 and 0.6

For each share of scenes whose depth is wrong or missing, in OUT/SHARE: the set is rendered, the
teacher is trained, and the first share is given `recipes/a2dele-ablation.toml`, the others
`recipes/a2dele-reliability.toml`, two trainings at a time. What is done already is not done again.
At the end of each, the teacher beside its students.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

RECIPES = Path(__file__).resolve().parent.parent / "recipes"
SCENES = ("--kind", "scenes", "--subject", "True", "--train", "220", "--val", "40", "--test", "100")
SCORES = ("mae", "s_measure", "f_max", "weighted_f")


def viewfinder(place: Path, *words: str) -> None:
    """One command of ours, in a folder."""
    subprocess.run([sys.executable, "-m", "viewfinder", *words], cwd=place, check=True)


def work(place: Path, share: str, recipe: str) -> float:
    """All of one share; returns the minutes that its ablation took."""
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "scenes").exists():
        viewfinder(place, "render", "scenes", *SCENES, "--unreliable-depth", share)
    if not (place / "runs" / "teacher").exists():
        words = ("--net", "a2dele-depth", "--size", "64", "--epochs", "30")
        viewfinder(place, "train", "saliency", "scenes", *words, "--out", "runs/teacher")
    start = time.perf_counter()
    viewfinder(place, "ablate", str(RECIPES / recipe), "--out", "runs/ablation", "--jobs", "2")
    return (time.perf_counter() - start) / 60


def means(folder: Path) -> dict[str, float]:
    """The mean test scores of the runs below a cell's folder, or of one run."""
    files = sorted(folder.glob("**/scores.json"))
    scores = [json.loads(file.read_text(encoding="utf-8"))["test"] for file in files]
    return {name: sum(each[name] for each in scores) / len(scores) for name in SCORES}


def main() -> None:
    out, shares = Path(sys.argv[1]), sys.argv[2:] or ["0.3", "0", "0.6"]
    for share in shares:
        place = out / share
        whole = share == shares[0]
        minutes = work(place, share, f"a2dele-{'ablation' if whole else 'reliability'}.toml")
        print(
            f"\nunreliable depth in {share} of the scenes; the ablation took {minutes:.1f} minutes"
        )
        print(f"{'':<48}" + "".join(f"{name:>12}" for name in SCORES))
        cells = sorted(path for path in (place / "runs" / "ablation").iterdir() if path.is_dir())
        for folder in (place / "runs" / "teacher", *cells):
            values = means(folder)
            print(f"{folder.name:<48}" + "".join(f"{values[name]:12.4f}" for name in SCORES))


if __name__ == "__main__":
    main()
