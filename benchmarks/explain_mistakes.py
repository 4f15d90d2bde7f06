"""Write the table of mistakes in docs/explain.md: torch's own message beside Viewfinder's.

    python benchmarks/explain_mistakes.py

The mistakes are the cases of tests/explain/test_mistakes.py; each really runs, on the CPU, for
torch's message, and is explained for ours.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from viewfinder.explain import Sample, explain
from viewfinder.files import write_text

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explain.md"
BEGIN, END = "<!-- mistakes: begin -->", "<!-- mistakes: end -->"
# Characters of torch's message that a cell has room for.
LONGEST = 200
NOT_RUN = {
    "two devices": "*(not run: it needs a second device)*",
    "keys without values": "*(not run: on some CPUs it reads past the values, without a message)*",
}


def cases() -> ModuleType:
    """The test module, which is a file and no package."""
    path = ROOT / "tests" / "explain" / "test_mistakes.py"
    spec = importlib.util.spec_from_file_location("test_mistakes", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["test_mistakes"] = module
    spec.loader.exec_module(module)
    return module


def torch_says(case: Any) -> str:
    def real(value: Any) -> Tensor:
        shape, kind = (value.shape, value.dtype) if isinstance(value, Sample) else (value, None)
        return torch.zeros(shape, dtype=kind)

    try:
        case.net(*map(real, case.inputs))
    except Exception as error:
        text = " ".join(str(error).split())
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    raise SystemExit("a case ran without any mistake")


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def row(name: str, case: Any) -> str:
    mistake = explain(case.net, *case.inputs).mistake
    assert mistake is not None
    theirs = NOT_RUN.get(name) or cell(torch_says(case))
    ours = f"{cell(mistake.rule)}<br>got: {cell(mistake.got)}"
    fixes = "<br>".join(cell(fix) for fix in mistake.fixes)
    return f"| {name} | {theirs} | {ours} | {fixes} |"


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, found, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise SystemExit(f"{PAGE} has lost its marks {BEGIN} and {END}")
    rows = [row(name, case) for name, case in cases().CASES.items()]
    columns = ("mistake", "torch says", "`viewfinder explain` says", "and offers, tried")
    head = f"| {' | '.join(columns)} |\n|---|---|---|---|\n"
    table = head + "\n".join(rows)
    write_text(PAGE, f"{before}{BEGIN}\n\n{table}\n\n{END}{after}")
    print(f"{len(rows)} mistakes into {PAGE}")


if __name__ == "__main__":
    main()
