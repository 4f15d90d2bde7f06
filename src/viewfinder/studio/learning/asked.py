"""Who is asked for proposals, and by what: said by the page, and answered by the worker."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from viewfinder.errors import InputError

By = Literal["learnt", "detector", "saliency", "plate", "track"]
_LONGEST = 3000
_NEEDS = {
    "detector": "give a detector's run, a .weights file with its .cfg beside it, an ONNX file that "
    "viewfinder wrote, or the word coco",
    "saliency": "give a run of saliency, or an ONNX file of such a network",
    "learnt": "nothing was learnt here yet",
    "plate": "choose the picture of the empty stand",
}


@dataclass(frozen=True)
class ProposerRequest:
    """One that proposes.

    Attributes:
        file: a run or file of this machine, the word `coco`; of plate, the picture of the empty
            stand, relative to the data.
        names: of a detector, `theirs=ours` each, or `theirs`; others are then left away.
        name: of plate and saliency, the class of all; that of the folder if empty.
        as_of: of what was learnt, the operation after which classes had the names that it knows.
        answers: boxes from each class's best score on, as an answer has them; else from lower ones
            too, as a wrong proposal costs less than a missing one.
    """

    by: By
    file: str = ""
    names: tuple[str, ...] = ()
    name: str = ""
    answers: bool = False
    as_of: int | None = None

    @property
    def run(self) -> str:
        """In whose name it proposes: what a person refused of it stays refused."""
        return {"learnt": "learning", "plate": "plate", "track": "track: flow"}.get(
            self.by, f"{self.by}: {Path(self.file).name}"[:200]
        )

    def as_json(self) -> dict[str, object]:
        """What `asked_of` reads."""
        return asdict(self)


def asked_of(document: Mapping[str, object]) -> ProposerRequest:
    """What a page, or the server, asks for.

    Raises:
        InputError: it is none, or says too little.
    """
    by, names = document.get("by"), document.get("names", [])
    file, name = document.get("file", ""), document.get("name", "")
    if by not in get_args(By):
        raise InputError(f"proposals are by {', '.join(get_args(By)[1:])}")
    texts = [file, name, *names] if isinstance(names, list | tuple) else [None]
    if not all(isinstance(each, str) and len(each) <= _LONGEST for each in texts):
        raise InputError("a file, a class and each name are short texts")
    named = tuple(map(str, texts[2:]))
    answers = document.get("answers") is True
    asked = ProposerRequest(cast(By, by), str(file).strip(), named, str(name).strip(), answers)
    if not asked.file and asked.by in _NEEDS:
        raise InputError(_NEEDS[asked.by])
    return asked
