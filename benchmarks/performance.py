"""Figures of benchmarks kept as JSON, and the page made of them.

    uv run python benchmarks/performance.py benchmarks/results/*.json > docs/performance.md

Each benchmark of speed takes `--json FILE` and adds to it: what was measured, on which processor,
with which libraries, and how busy the machine was.
"""

import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

from viewfinder.cpu import cpu_features

_HEAD = """# How fast it is

Made by `benchmarks/performance.py` from what the benchmarks wrote (`benchmarks/results/`); each row
has its command. Ratios are of two things measured in turn in one process, the least of many times;
times alone say little about another machine. What else was ever measured is in
[benchmarks.md](benchmarks.md).
"""
_FOOT = """*load* is how many programs wanted a core meanwhile (the mean of a minute): where it is
more than there are cores, times are longer than they need be."""


def record(
    file: Path,
    what: str,
    *,
    figure: str,
    detail: dict[str, object],
    command: str,
    plot: str | None = None,
) -> None:
    """Add a figure to a file; one of the same name and processor is replaced.

    Args:
        plot: a picture in docs/ that shows it.
    """
    import torch

    cpu = cpu_features()
    row = {
        "what": what,
        "figure": figure,
        "detail": detail,
        "command": command,
        **({"plot": plot} if plot else {}),
        "processor": cpu.name,
        "threads": torch.get_num_threads(),
        "cores": cpu.threads,
        "instructions": [name for name in ("avx512", "vnni", "bf16", "amx") if getattr(cpu, name)],
        "versions": {name: version(name) for name in ("torch", "onnxruntime", "numpy")},
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "date": time.strftime("%Y-%m-%d"),
    }
    rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    key = (what, cpu.name, row["threads"])
    rows = [r for r in rows if (r["what"], r["processor"], r["threads"]) != key]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([*rows, row], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def page(rows: list[dict]) -> str:
    """The page: a table for each processor."""
    lines = [_HEAD]
    for name in dict.fromkeys(row["processor"] for row in rows):
        own = [row for row in rows if row["processor"] == name]
        first = own[0]
        versions = ", ".join(f"{key} {value}" for key, value in first["versions"].items())
        has = ", ".join(first["instructions"]) or "no AVX-512"
        lines += [
            f"## {name}, {first['cores']} cores ({has})\n",
            f"{versions}, Python {first['python']}.\n",
            "| what | figure | threads | load | command |",
            "|---|---|---:|---:|---|",
        ]
        lines += [
            f"| {row['what']} | {row['figure']} | {row['threads']} | {row['load']:g} "
            f"| `{row['command']}` |"
            for row in own
        ]
        lines.append("")
        plots = {row["plot"]: row["command"] for row in own if "plot" in row}
        lines += [
            line
            for plot, made_by in plots.items()
            for line in (f"![what `{made_by}` measured]({plot})", "")
        ]
    lines.append(_FOOT)
    return "\n".join(lines)


def main() -> None:
    rows = [row for file in sys.argv[1:] for row in json.loads(Path(file).read_text("utf-8"))]
    print(page(rows))


if __name__ == "__main__":
    main()
