"""Find every fault of a data set, each with its file and a way to fix it.

Exit status 1 if there are any.
"""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from viewfinder.cli.output import print_json, say
from viewfinder.wording import counted

if TYPE_CHECKING:
    from viewfinder.datasets.faults import Fault


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of pictures in class folders; of pictures with masks of their subjects; of boxes as
    COCO, YOLO or Pascal VOC; or: tabletop."""
    alike: bool = False
    """Also find pictures that look nearly the same: cut, mirrored, saved again. They are compared
    by what a network says of them, about 25 ms each, once; what was done is kept."""
    json: bool = False
    """Print one JSON document: faults (kind, file, detail, fix) and counts."""


def run(flags: Flags) -> int:
    """Print the faults."""
    from viewfinder.datasets.checks.checking import check
    from viewfinder.pictures.reading import BITS

    dataset, faults = check(flags.data)
    if flags.alike:
        from viewfinder.features.alike import near_duplicates

        faults += near_duplicates(dataset)
    if flags.json:
        counts: dict[str, object] = {"images": len(dataset), "classes": dataset.counts()}
        if dataset.boxes is not None:
            counts["boxes"] = len(dataset.boxes)
        if dataset.bits < BITS[-1]:
            counts["bits"] = dataset.bits
        counts["faults"] = dict(Counter(fault.kind for fault in faults))
        print_json({"faults": [_promised(fault) for fault in faults], "counts": counts})
        return 1 if faults else 0
    say(dataset.summary(faults=False))
    for name, count in dataset.counts().items():
        say(f"  {name}: {count}")
    for fault in faults:
        say(f"{fault.kind}: {fault.file}: {fault.detail}; {fault.fix}")
    say(counted(len(faults), "fault") if faults else "no faults")
    return 1 if faults else 0


def _promised(fault: "Fault") -> dict[str, str]:
    """What programs are promised of a fault; `mend` is `fix` by the name it had first."""
    place = {"kind": fault.kind, "file": fault.file, "detail": fault.detail}
    return place | {"fix": fault.fix, "mend": fault.fix}
