"""Find every fault of a data set, each with its file and a way to fix it.

Exit status 1 if there are any. --report writes a page beside: what is in the set, which pictures
show the same, which are unlike all others, and which labels may be wrong.

  viewfinder check my-photos --report my-photos.html

Example:

  viewfinder check my-photos
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from viewfinder.cli.output import asked_by, print_json, say
from viewfinder.errors import InputError
from viewfinder.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viewfinder.datasets.dataset import Dataset
    from viewfinder.datasets.faults import Fault
    from viewfinder.labelling.odd import Suspects


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of pictures in class folders; of pictures with masks of their subjects; of boxes as
    COCO, YOLO or Pascal VOC; or: tabletop."""
    alike: bool = False
    """Also find pictures that look nearly the same: cut, mirrored, saved again; also in a folder of
    pictures without labels. They are compared by what a network says of them, about 25 ms each,
    once; what was done is kept."""
    report: Path | None = None
    """A page to write, HTML: counts, sizes, places, shapes and brightness of boxes and pictures;
    pictures that show the same, in two splits first, which are faults; the odd ones out; labels
    that may be wrong, with what is labelled so. Compared as with --alike; of more than 20,000
    pictures as many."""
    json: bool = False
    """Print one JSON document: faults (kind, file, detail, fix), counts, and with --report
    suspects: alike, odd and labels."""


def run(flags: Flags) -> int:
    """Print the faults."""
    if flags.report is not None:
        _refuse_other(flags.report)
    dataset, faults = _checked(flags)
    suspects = None
    if flags.report is not None:
        from viewfinder.labelling.odd import suspects as look

        suspects = look(dataset)
    if flags.alike:
        from viewfinder.features.alike import near_duplicates

        faults += near_duplicates(dataset)
    elif suspects is not None:
        from viewfinder.features.alike import across_splits

        faults += across_splits(dataset, suspects.alike)
    if flags.report is not None and suspects is not None:
        from viewfinder.labelling.set_page import write_set_page

        write_set_page(flags.report, dataset, faults, suspects, by=asked_by())
    if flags.json:
        print_json(_document(dataset, faults, suspects, flags.report))
        return 1 if faults else 0
    say(dataset.summary(faults=False))
    for name, count in dataset.counts().items():
        say(f"  {name}: {count}")
    for fault in faults:
        say(f"{fault.kind}: {fault.file}: {fault.detail}; {fault.fix}")
    say(counted(len(faults), "fault") if faults else "no faults")
    if suspects is not None:
        say(
            f"to look at: {counted(len(suspects.alike), 'pair')} of pictures that show the same, "
            f"{suspects.mistakes}; the odd ones out"
        )
        say(f"report {flags.report}")
    return 1 if faults else 0


def _checked(flags: Flags) -> "tuple[Dataset, list[Fault]]":
    """The set and its faults; with --alike also of pictures without any labels, as whether they
    are copies asks for none.

    Raises:
        InputError: there is no set to be read.
    """
    from viewfinder.datasets.checks.checking import check, check_pictures

    try:
        return check(flags.data)
    except InputError:
        found = check_pictures(flags.data) if flags.alike and flags.report is None else None
        if found is None:
            raise
        return found


def _document(
    dataset: "Dataset", faults: "Sequence[Fault]", suspects: "Suspects | None", report: Path | None
) -> dict[str, object]:
    """What --json prints."""
    from viewfinder.pictures.reading import BITS

    counts: dict[str, object] = {"images": len(dataset), "classes": dataset.counts()}
    if dataset.boxes is not None:
        counts["boxes"] = len(dataset.boxes)
    if dataset.bits < BITS[-1]:
        counts["bits"] = dataset.bits
    counts["faults"] = dict(Counter(fault.kind for fault in faults))
    document: dict[str, object] = {
        "faults": [_promised(fault) for fault in faults],
        "counts": counts,
    }
    if suspects is not None:
        from viewfinder.labelling.set_page import suspects_document

        document |= {"report": str(report)}
        document |= {"suspects": suspects_document(dataset, suspects)}
    return document


def _refuse_other(report: Path) -> None:
    """Refuse a page of another kind before anything is looked at."""
    if report.suffix.lower() not in (".html", ".htm"):
        raise InputError(
            f"--report {report}: the page is HTML, name it {report.with_suffix('.html')}"
        )


def _promised(fault: "Fault") -> dict[str, str]:
    """What programs are promised of a fault; `mend` is `fix` by the name it had first."""
    place = {"kind": fault.kind, "file": fault.file, "detail": fault.detail}
    return place | {"fix": fault.fix, "mend": fault.fix}
