"""Find every fault of a data set, each with its file and a way to mend it.

Exit status 1 if there are any.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Annotated

import tyro

from viewfinder.cli.output import print_json


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of pictures in class folders, or: tabletop."""
    json: bool = False
    """Print one JSON document: faults (kind, file, detail, mend) and counts."""


def run(flags: Flags) -> int:
    """Print the faults."""
    from viewfinder.datasets.checks import check_dataset
    from viewfinder.datasets.opening import open_dataset

    dataset = open_dataset(flags.data)
    faults = check_dataset(dataset)
    if flags.json:
        counts = {"images": len(dataset), "classes": dataset.counts()}
        counts["faults"] = dict(Counter(fault.kind for fault in faults))
        document = {"faults": [asdict(fault) for fault in faults], "counts": counts}
        print_json(document)
        return 1 if faults else 0
    print(dataset.summary())
    for name, count in dataset.counts().items():
        print(f"  {name}: {count}")
    for fault in faults:
        print(f"{fault.kind}: {fault.file}: {fault.detail}; {fault.mend}")
    print(f"{len(faults)} faults" if faults else "no faults")
    return 1 if faults else 0
