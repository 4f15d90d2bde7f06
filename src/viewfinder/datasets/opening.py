"""Opening a data set, whatever its layout: the layout is recognised, and said."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from viewfinder.datasets.by_file import read_file
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.dealing import (
    deal_class_set,
    deal_to_splits,
    grouped_by_video,
    listed_only,
)
from viewfinder.datasets.editing.transaction import undisturbed
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.box_labels import box_labels
from viewfinder.datasets.formats.class_folders.layouts import (
    known_otherwise,
    layout_of,
)
from viewfinder.datasets.formats.class_folders.reading import (
    is_class_folders,
    open_class_folders,
)
from viewfinder.datasets.formats.label_store import masks_edited, read_label_store
from viewfinder.datasets.formats.labels_above import above_in_words, refuse_within
from viewfinder.datasets.formats.labels_below import refuse_other_classes, refuse_other_sets
from viewfinder.datasets.formats.other_tools import HOW, box_table, refuse_other_tools
from viewfinder.datasets.formats.rgbd.folders import masks_among
from viewfinder.datasets.formats.rgbd.pairing import find_triples
from viewfinder.datasets.formats.rgbd.reading import read_saliency
from viewfinder.datasets.formats.stored_dataset import LAYOUT
from viewfinder.datasets.kept_sets import kept_or_read
from viewfinder.datasets.kind_names import kind_of
from viewfinder.datasets.measuring import fitted
from viewfinder.datasets.split_names import split_of
from viewfinder.datasets.splits import TRAIN
from viewfinder.datasets.survey import Survey, survey
from viewfinder.datasets.tidying import tidied
from viewfinder.errors import InputError
from viewfinder.files import cache_folder
from viewfinder.pictures.finding import folders_in, has_picture

TABLETOP = "tabletop"


def open_dataset(
    source: str | Path, *, val_share: float | None = None, deal: bool = True
) -> Dataset:
    """Read what a folder holds, and make it ready to learn from.

    Where the studio has labels of a folder, those are read, as they are now, and not its files.
    Sets of boxes are tidied by the rule of `datasets.tidying`. One of boxes or masks without splits
    is dealt to them so that pictures of one group, or that show nearly the same, stay together;
    only then are pictures decoded.

    Args:
        source: a folder of class folders, with or without `train/`, `val/`, `test/`; a folder of
            COCO, YOLO or Pascal VOC, or COCO's JSON file or YOLO's `data.yaml` itself; of pictures,
            masks and, if there are any, depth maps of the same names, as `datasets.pairing` knows
            them; or the word `tabletop`, the embedded set, which is rendered once and kept in the
            cache.
        val_share: share of the training pictures that becomes `val` where the folder has none; as
            many as `splits.usual_val_share` says if it is None.
        deal: put pictures into splits where the set has none; else they stay in none (-1).

    Raises:
        InputError: no such folder, an unknown layout, a damaged file of labels, no pictures, or
            only one class of pictures.
    """
    if str(source) == TABLETOP:
        # The renderer is only needed by those who ask for the embedded set.
        from viewfinder.tabletop.embedded import embedded_classes

        return open_class_folders(embedded_classes(cache_folder()), val_share=val_share, deal=deal)
    if (stored := _stored(source)) is not None and stored.boxes is None:
        return deal_class_set(stored, val_share) if deal else stored
    boxes = read_boxes(source)
    if boxes is not None:
        dataset = grouped_by_video(tidied(listed_only(usable_boxes(boxes))))
        return deal_to_splits(dataset, val_share) if deal else dataset
    root = Path(source).expanduser()
    saliency = read_saliency(root)
    if saliency is not None:
        if masks_edited(root):
            text = "masks were corrected in the studio, and these are the older files: export them"
            saliency = replace(saliency, notes=(*saliency.notes, text))
        return deal_to_splits(saliency, val_share) if deal else saliency
    refuse_other_classes(root)
    dataset = open_class_folders(root, val_share=val_share, deal=deal)
    return _with_masks(_with_table(dataset, root))


def read_boxes(source: str | Path) -> Dataset | None:
    """A set of boxes exactly as its files say, faults included, or as the studio has them now; None
    where pictures have classes or masks.

    Raises:
        InputError: as `open_dataset` does, but for what `check` is there to say.
    """
    if (stored := _stored(source)) is not None:
        return stored if stored.boxes is not None else None
    found = read_box_files(source)
    file = Path(source).expanduser()
    if found is not None and file.is_dir():
        refuse_other_sets(file)
    if found is None or file.is_dir() or not (edited := above_in_words(file)):
        return found
    return replace(found, notes=(*found.notes, edited))


def _stored(source: str | Path) -> Dataset | None:
    """The studio's labels of a folder, where it has any.

    Raises:
        InputError: they are kept with those of a set that the folder lies in.
    """
    root = Path(source).expanduser()
    if str(source) == TABLETOP or not root.is_dir():
        return None
    refuse_within(root)
    return read_label_store(root)


def read_box_files(source: str | Path) -> Dataset | None:
    """A set of boxes exactly as its files say, whatever was edited in the studio.

    Raises:
        InputError: as `read_boxes` does.
    """
    if str(source) == TABLETOP:
        return None
    root = Path(source).expanduser()
    if not root.exists():
        raise InputError(f"there is no folder {root}: give a folder of pictures, or `{TABLETOP}`")
    return undisturbed(root, lambda: _boxes_of(root))


def _boxes_of(root: Path) -> Dataset | None:
    if not root.is_dir():
        return read_file(root)
    seen = survey(root)
    labels = box_labels(seen)
    if labels is not None:
        read = partial(labels.format.read, seen, labels.files)
        found = kept_or_read(seen, read) if labels.format.within else read()
        if not labels.also:
            return found
        note = f"labels of {' and '.join(labels.also)} lie here too and are not read"
        return replace(found, notes=(*found.notes, note))
    if not has_masks(seen):
        require_class_folders(seen)
    return None


def require_class_folders(seen: Survey) -> None:
    """See that a folder without boxes and masks that are read is one of class folders.

    Raises:
        InputError: it is not, or its pictures have labels that are not read.
    """
    root = seen.root
    refuse_other_tools(seen)
    if (table := box_table(seen)) and not _sure_of_classes(root):
        raise InputError(f"{root} has boxes in a table ({table:.80}), which is not read: {HOW}")
    if not any(map(is_class_folders, (root, *folders_in(root)))):
        if looks := known_otherwise(root):
            raise InputError(f"{root} is no data set that is known here: {looks}")
        if not any(root.iterdir()):
            raise InputError(f"{root} is empty: give a folder with pictures")
        if (root.parent / "annotations").is_dir() and has_picture(root):
            raise InputError(
                f"{root} has no labels of its own, and {root.parent} has them in annotations/: "
                f"give {root.parent}"
            )
        raise InputError(
            f"{root} is no data set that is known here: put each class's pictures into a folder "
            f"with the class's name, such as {root / 'cat' / '1.jpg'}, or give boxes as COCO, YOLO "
            "(with its data.yaml) or Pascal VOC, or pictures in RGB/ and masks of their subjects "
            "in GT/"
        )


def has_masks(seen: Survey) -> bool:
    """Whether a folder holds pictures with masks.

    Raises:
        InputError: it holds only parts of such a set, and no labels of another tool.
    """
    try:
        return find_triples(seen.root) is not None
    except InputError:
        refuse_other_tools(seen)
        raise


def _sure_of_classes(root: Path) -> bool:
    """Whether a folder's folders are classes beyond doubt: none speaks of a split or a kind."""
    try:
        tops = layout_of(root).tops
    except InputError:
        return False
    learnt = [top for top, split in tops.items() if split == TRAIN] or tops
    names = {folder.name for top in learnt for folder in folders_in(top) if has_picture(folder)}
    return len(names) > 1 and not any(split_of(name) >= 0 or kind_of(name) for name in names)


def _with_table(dataset: Dataset, root: Path) -> Dataset:
    """A set of classes with a note where a table of boxes lies beside it."""
    table = box_table(survey(root))
    if not table:
        return dataset
    return replace(dataset, notes=(*dataset.notes, f"{table:.80} lists boxes, and is not read"))


def _with_masks(dataset: Dataset) -> Dataset:
    """A set of classes with a fault where one of them seems to be the masks of another."""
    of_class: dict[str, list[str]] = {name: [] for name in dataset.classes}
    for label, path in zip(dataset.labels.tolist(), dataset.paths, strict=True):
        of_class[dataset.classes[label]].append(path)
    found = masks_among(dataset.root, of_class)
    if found is None:
        return dataset
    pictures, masks = found
    detail = f"the pictures of {masks} have the names of those of {pictures} and are black and "
    detail += "white, as masks of their subjects are"
    fix = f"if they are masks, call the folders RGB (now {pictures}) and GT (now {masks})"
    fault = Fault("masks", masks, detail, fix)
    return replace(
        dataset,
        notes=(*dataset.notes, f"{detail}: {fix}"),
        faults=(*dataset.faults, fault),
    )


def usable_boxes(dataset: Dataset, *, stored: bool | None = None) -> Dataset:
    """What `read_boxes` gives, fit to be learnt from or written anew.

    Args:
        stored: whether boxes were marked before EXIF turns pictures, if that is known.

    Raises:
        InputError: a fault stands in the way, for going on would be silently wrong.
    """
    refuse_blocking(dataset)
    # The studio's boxes are of the upright pictures.
    return fitted(dataset, stored=False if dataset.layout == LAYOUT else stored)


def refuse_blocking(dataset: Dataset) -> None:
    """Refuse a set with a fault that must be fixed first.

    Raises:
        InputError: it has one.
    """
    blocking = [fault for fault in dataset.faults if fault.blocking]
    if blocking:
        first, more = blocking[0], len(blocking) - 1
        text = f" (and {more:,} more: `viewfinder check` names them)" if more else ""
        if first.labels and first.picture:
            text = f"; or label {first.picture} anew in the studio (`viewfinder label`){text}"
        raise InputError(f"{dataset.root / first.file}: {first.detail}: {first.fix}{text}")
