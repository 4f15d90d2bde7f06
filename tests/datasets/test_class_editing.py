"""One edit of the classes changes every file that names or numbers them, and no other."""

import json

import numpy as np
import pytest

from viewfinder.datasets.boxes import gather_boxes
from viewfinder.datasets.converting import convert
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.editing.classes import DROPPED, apply_changes, plan_edit
from viewfinder.datasets.editing.transaction import take_back
from viewfinder.datasets.formats import box_labels
from viewfinder.datasets.formats.box_labels import BoxFormat
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture

NAMES = ("cat", "dog", "bird")


@pytest.fixture
def coco(tmp_path):
    """Two sides; a picture has one box of each class, dogs two."""
    for side in ("train", "val"):
        annotations = [
            {"id": n, "image_id": 1, "category_id": c, "bbox": [n, 1, 2, 2]}
            for n, c in enumerate((10, 20, 20, 30), 1)
        ]
        document = {
            "info": {"kept": "é"},
            "images": [{"id": 1, "file_name": f"{side}.png", "width": 20, "height": 10}],
            "annotations": annotations,
            "categories": [{"id": 10 * i, "name": n} for i, n in enumerate(NAMES, 1)],
        }
        file = tmp_path / f"coco/annotations/instances_{side}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document))
        write_picture(tmp_path / f"coco/images/{side}.png", np.zeros((10, 20, 3), np.uint8))
    return tmp_path / "coco"


def edit(root, changes):
    plan = plan_edit(root, changes)
    apply_changes(root, plan)
    return plan


EDITS = [
    ({"dog": "hound"}, {"cat": 2, "hound": 4, "bird": 2}),
    ({"cat": "dog", "dog": "dog"}, {"dog": 6, "bird": 2}),
    ({"bird": "pet", "cat": "pet"}, {"pet": 4, "dog": 4}),
    ({"cat": None}, {"dog": 4, "bird": 2}),
    ({"cat": "dog", "dog": "cat"}, {"dog": 2, "cat": 4, "bird": 2}),
]


@pytest.mark.parametrize("layout", ["coco", "yolo", "voc"])
@pytest.mark.parametrize(("changes", "counts"), EDITS)
def test_in_every_format_of_boxes(coco, tmp_path, layout, changes, counts):
    root = coco
    if layout != "coco":
        root = tmp_path / layout
        convert(coco, root, to=layout)
    before = read_boxes(root)
    plan = plan_edit(root, changes)
    assert read_boxes(root).counts() == before.counts()
    apply_changes(root, plan)
    after = read_boxes(root)
    assert list(after.counts().items()) == list(counts.items())
    kept = [changes.get(before.classes[i], "kept") is not None for i in before.boxes.classes]
    assert after.boxes.corners.tolist() == before.boxes.corners[kept].tolist()
    assert after.paths == before.paths


def test_what_is_not_asked_for_stays(coco, tmp_path):
    edit(coco, {"cat": "lion"})
    document = json.loads((coco / "annotations/instances_val.json").read_text("utf-8"))
    assert document["info"] == {"kept": "é"}
    assert [c["id"] for c in document["categories"]] == [10, 20, 30]
    convert(coco, tmp_path / "yolo", to="yolo")
    file = tmp_path / "yolo/data.yaml"
    file.write_text(f"# mine\nextra:\n  x: &y 1\n{file.read_text()}# end\n")
    labels = tmp_path / "yolo/labels/train/train.txt"
    first = labels.read_bytes()
    plan = edit(tmp_path / "yolo", {"lion": "it's"})
    assert [change.path for change in plan] == [file]
    assert labels.read_bytes() == first
    assert file.read_text().startswith("# mine\nextra:\n  x: &y 1\n")
    assert file.read_text().endswith("# end\n")
    assert read_boxes(tmp_path / "yolo").classes == ("it's", "dog", "bird")


@pytest.fixture
def folders(tmp_path):
    for side in ("train", "val"):
        for name in NAMES:
            for number in range(2):
                path = tmp_path / "set" / side / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(f"{side} {name} {number}".encode())
    return tmp_path / "set"


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"dog": "hound"}, {"bird": 4, "cat": 4, "hound": 4}),
        ({"cat": "dog", "dog": "dog"}, {"bird": 4, "dog": 8}),
        ({"bird": "pet", "cat": "pet"}, {"dog": 4, "pet": 8}),
        ({"cat": None}, {"bird": 4, "dog": 4}),
    ],
)
def test_class_folders_are_moved_and_no_picture_is_lost(folders, changes, counts):
    before = sorted(path.read_bytes() for path in folders.rglob("*.png"))
    edit(folders, changes)
    assert open_dataset(folders).counts() == counts
    assert sorted(path.read_bytes() for path in folders.rglob("*.png")) == before
    assert {path.name for path in folders.glob("[!.]*/*")} == counts.keys()
    assert (folders / DROPPED / "train/cat").is_dir() == (changes == {"cat": None})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cow": "x"}, "there is no class 'cow': the classes are"),
        ({"cat": ""}, "no name for a class"),
        ({"cat": " x"}, "no name for a class"),
        (dict.fromkeys(NAMES), "at least one class"),
    ],
)
@pytest.mark.parametrize("layout", ["coco", "folders"])
def test_an_edit_that_cannot_be(coco, folders, layout, changes, says):
    with pytest.raises(InputError, match=says):
        plan_edit(coco if layout == "coco" else folders, changes)


@pytest.mark.parametrize("name", ["a/b", "..", ".x", "a\0b", "c:d"])
def test_names_that_no_folder_can_have(folders, name):
    with pytest.raises(InputError, match="cannot be the name of a class's folder"):
        plan_edit(folders, {"cat": name})


@pytest.fixture
def yolo(coco, tmp_path):
    convert(coco, tmp_path / "yolo", to="yolo")
    return tmp_path / "yolo"


def test_lines_of_labels_are_read_as_the_reader_does_and_else_stay_as_they_are(yolo):
    file = yolo / "labels/train/train.txt"
    lines = [
        b"\xef\xbb\xbf0\t0.5 0.5\t.2 .2\r\n",
        b"  1.0 0.50 0.5 2e-1 0.2 \r\n",
        b"\r\n",
        b"2 0.1 0.1 0.2 0.1 0.2 0.2\n",
        b"\t1\t.5\t.5\t.2\t.2",
    ]
    file.write_bytes(b"".join(lines))
    edit(yolo, {"cat": None})
    assert file.read_bytes() == b"".join(
        [
            b"\xef\xbb\xbf  0 0.50 0.5 2e-1 0.2 \r\n",
            b"\r\n",
            b"1 0.1 0.1 0.2 0.1 0.2 0.2\n",
            b"\t0\t.5\t.5\t.2\t.2",
        ]
    )
    assert read_boxes(yolo).counts()["dog"] == 2 + 2


def test_the_rest_of_data_yaml_stays_byte_for_byte(yolo):
    file = yolo / "data.yaml"
    text = "# mine\r\ntrain: images/train\r\nval: images/val\r\nnames: [cat, dog, bird]"
    file.write_bytes(f"{text}\r\n# end".encode())
    edit(yolo, {"dog": "hound"})
    names = "names:\r\n  0: 'cat'\r\n  1: 'hound'\r\n  2: 'bird'\r\n"
    assert file.read_bytes() == f"{text.partition('names')[0]}{names}# end".encode()


@pytest.mark.parametrize("layout", ["coco", "yolo", "voc", "folders"])
@pytest.mark.parametrize("changes", [{"cat": None}, {"cat": "lion"}, {"cat": "dog", "dog": "dog"}])
def test_an_edit_is_taken_back_byte_for_byte(coco, folders, tmp_path, layout, changes):
    root = {"coco": coco, "folders": folders}.get(layout, tmp_path / layout)
    if not root.exists():
        convert(coco, root, to=layout)
    before = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    edit(root, changes)
    take_back(root, verb="classes")
    assert {file: file.read_bytes() for file in root.rglob("*") if file.is_file()} == before


def tree(root):
    return {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}


@pytest.mark.parametrize("absolute", [False, True])
def test_labels_of_another_copy_of_the_set_are_not_edited(yolo, tmp_path, absolute):
    """Real `data.yaml` files often hold the path of another copy."""
    (tmp_path / "mine").mkdir()
    where = yolo if absolute else "../yolo"
    text = f"path: {where}\ntrain: images/train\nval: images/val\nnames: [cat, dog, bird]\n"
    (tmp_path / "mine/data.yaml").write_text(text)
    assert read_boxes(tmp_path / "mine").counts() == {"cat": 2, "dog": 4, "bird": 2}
    before = tree(tmp_path)
    with pytest.raises(InputError, match=r"leads to .*/yolo/labels/train/train\.txt, which is"):
        edit(tmp_path / "mine", {"cat": None})
    assert tree(tmp_path) == before
    # Other names for the same numbers are a matter of this copy alone.
    edit(tmp_path / "mine", {"cat": "lion"})
    assert read_boxes(tmp_path / "mine").classes == ("lion", "dog", "bird")
    assert tree(yolo) == {file: held for file, held in before.items() if yolo in file.parents}


LINKS = [("coco", "annotations"), ("yolo", "labels"), ("voc", "Annotations"), ("folders", "train")]


@pytest.mark.parametrize(
    ("layout", "name"), [*LINKS, ("folders", ".dropped"), ("coco", ".viewfinder")]
)
def test_nothing_is_changed_where_a_link_leads_out(coco, folders, tmp_path, layout, name):
    root = {"coco": coco, "folders": folders}.get(layout, tmp_path / layout)
    if not root.exists():
        convert(coco, root, to=layout)
    (tmp_path / "other").mkdir()
    if (root / name).exists():
        (root / name).rename(tmp_path / "other" / name)
    else:
        (tmp_path / "other" / name).mkdir()
    (root / name).symlink_to(tmp_path / "other" / name)
    before = tree(tmp_path)
    with pytest.raises(InputError, match=r"leads to .*/other/.*, which is outside of"):
        edit(root, {"cat": None})
    assert tree(tmp_path) == before
    assert [*(tmp_path / "other").iterdir()] == [tmp_path / "other" / name]


def test_labels_of_a_side_that_is_not_listed_are_renumbered_too(yolo):
    """They would else be of other classes as soon as somebody lists them."""
    text = "0 .5 .5 .2 .2\n2 .5 .5 .2 .2\n"
    for name in ("labels/test/a.txt", "test/labels/b.txt", "camera.txt", "labels/odd.txt"):
        (yolo / name).parent.mkdir(parents=True, exist_ok=True)
        (yolo / name).write_text(text + ("1 2\n" if "odd" in name else ""))
    edit(yolo, {"cat": None})
    assert (yolo / "labels/test/a.txt").read_text() == "1 .5 .5 .2 .2\n"
    assert (yolo / "test/labels/b.txt").read_text() == "1 .5 .5 .2 .2\n"
    assert (yolo / "camera.txt").read_text() == text
    assert (yolo / "labels/odd.txt").read_text() == text + "1 2\n"


def test_pictures_and_masks_have_no_classes_to_edit(tmp_path):
    picture = np.zeros((12, 16, 3), np.uint8)
    for stem in "abc":
        write_picture(tmp_path / f"RGB/{stem}.png", picture + 90)
        write_picture(tmp_path / f"GT/{stem}.png", picture)
    before = tree(tmp_path)
    with pytest.raises(InputError, match="masks of their subjects, which has no classes to edit"):
        edit(tmp_path, {"RGB": "picture"})
    assert tree(tmp_path) == before


def test_labels_of_a_tool_that_is_not_read_are_no_folders_to_rename(folders):
    next(folders.rglob("*.png")).with_suffix(".json").write_text('{"gtboxes": []}')
    before = tree(folders)
    with pytest.raises(InputError, match="which is not read"):
        edit(folders, {"cat": "lion"})
    assert tree(folders) == before


def test_a_format_that_nothing_edits_is_refused_and_one_that_is_read_needs_one_line(
    folders, monkeypatch
):
    (folders / "made.up").write_text("")
    found = gather_boxes(
        np.zeros(0, np.int64), 0, corners=np.zeros((0, 4)), classes=np.zeros(0, np.int64)
    )

    def read(seen, files):
        assert files == [folders / "made.up"]
        nothing = np.zeros(0, np.int64)
        sizes = np.zeros((0, 2), np.int64)
        return Dataset(
            seen.root, "Made Up", ("cat",), (), nothing, nothing, boxes=found, sizes=sizes
        )

    def find(seen):
        return [seen.root / path for path in seen.of(".up")]

    made_up = BoxFormat("Made Up", find, read)
    monkeypatch.setattr(box_labels, "FORMATS", (*box_labels.FORMATS, made_up))
    assert read_boxes(folders).layout == "Made Up"
    before = tree(folders)
    with pytest.raises(
        InputError, match=r"a set of Made Up, .*: write it as COCO or .*, and edit that"
    ):
        edit(folders, {"cat": "lion"})
    assert tree(folders) == before
