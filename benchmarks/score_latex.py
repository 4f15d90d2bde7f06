"""Whether the LaTeX of `score` and `ablate` compiles, with what names may hold.

    apt install --no-install-recommends texlive-latex-base texlive-latex-recommended   (Debian)
    uv run python benchmarks/score_latex.py [TABLE.tex …]

Two sets and ten methods, whose names hold what LaTeX takes for commands and for options of a line's
end, are scored, and the table with all scores is set in a document that has booktabs, as are the
tables named, such as an ablation's. Each line says how pdflatex ended and what it complained of;
the status is 1 where a table does not compile.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from viewfinder.events import listening
from viewfinder.scoring.comparing import compare
from viewfinder.scoring.reading import asked, contests
from viewfinder.scoring.tables import as_latex

_METHODS = ("A&B_1", "U^2-Net{x}", "50%~#$\\", "[x]", "*y", "<a|b>", "é ü ñ", "--", "%", "a`'\"")
_SETS = ("SIP_&_co", "N%J [2K]")
_DOCUMENT = r"""\documentclass{article}
\usepackage[paperwidth=80cm,paperheight=30cm,margin=1cm]{geometry}
\usepackage{booktabs}
\begin{document}
%s
\end{document}
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tables", nargs="*", type=Path, help="more tables, such as an ablation's")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["VIEWFINDER_CACHE"] = f"{place}/cache"
        tables = {"ten methods on two sets": _scored(Path(place))}
        tables |= {str(file): file.read_text(encoding="utf-8") for file in given.tables}
        good = [_compiles(name, table, Path(place)) for name, table in tables.items()]
    sys.exit(0 if all(good) else 1)


def _scored(root: Path) -> str:
    """The table of made maps, with every score."""
    random = np.random.default_rng(0)
    for n in range(6):
        mask = np.zeros((40, 50), np.uint8)
        cv2.ellipse(mask, (20 + n, 18), (9, 6 + n), 0, 0, 360, 255, -1)
        for k, name in enumerate(_METHODS):
            noisy = np.clip(mask * 0.6 + random.normal(50, 10 + 5 * k, mask.shape), 0, 255)
            _write(root / "maps" / name / f"{n}.png", noisy.astype(np.uint8))
        _write(root / "GT" / f"{n}.png", mask)
    sets = [f"{name}={root}/GT:{root}/maps/*" for name in _SETS]
    with listening():
        found = compare(contests(asked(None, [], sets)))
    return as_latex(found, found.metrics)


def _write(file: Path, pixels: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), pixels)


def _compiles(name: str, table: str, place: Path) -> bool:
    file = place / "document.tex"
    file.write_text(_DOCUMENT % table, encoding="utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", file.name]
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, check=False)
    said = [
        line for line in done.stdout.splitlines() if line.startswith(("!", "Overfull", "LaTeX W"))
    ]
    told = "; ".join(said) or "no complaint"
    ended = "compiled" if done.returncode == 0 else f"status {done.returncode}"
    print(f"{name}: {ended}, {table.count(chr(10))} lines, {told}", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    main()
