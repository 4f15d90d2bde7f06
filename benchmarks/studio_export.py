"""A real set at the studio's page: opened, edited, exported to three layouts, each read by others.

    uv run python benchmarks/studio_export.py BCCD        blood cells as Pascal VOC; a minute

BCCD is a folder of Pascal VOC. Its XML is read by hand (ElementTree), 20 edits are made with mouse
and keys in a real Chromium and in what was read by hand, and each export that the page is asked for
is compared with that, box by box: COCO's as pycocotools reads it, YOLO's and VOC's by hand. A
class's name and four corners must be equal, to a hundredth of a pixel, and to one pixel where a
mouse made them; boxes that the set has outside of their pictures are cut to them beforehand.
"""

import json
import random
import shutil
import sys
import tempfile
import xml.etree.ElementTree as Tree
from collections import defaultdict
from pathlib import Path

from pycocotools.coco import COCO

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from studio_page import Person, until

from benchmarks.page_person import at_the_page
from viewfinder.studio.store import Store

Box = tuple[str, float, float, float, float]
Boxes = dict[str, list[Box]]
CLOSE = 0.01
EXPORT = """async ([to, out]) => {
  const { post } = await import("/page/api.js");
  return post("/api/export", { to, out });
}"""


def by_hand(root: Path, first: float) -> tuple[Boxes, dict[str, tuple[float, float]]]:
    """Boxes and sizes by the pictures' stems.

    Args:
        first: what VOC calls the first pixel: 1, or 0 as some tools have it.
    """
    found: Boxes = {}
    sizes = {}
    for file in sorted((root / "Annotations").rglob("*.xml")):
        tree = Tree.parse(file)
        size = tree.find("size")
        assert size is not None
        width, height = (float(size.findtext(name) or 0) for name in ("width", "height"))
        sizes[file.stem] = width, height
        boxes = []
        for each in tree.iter("object"):
            corner = each.find("bndbox")
            assert corner is not None
            x1, y1, x2, y2 = (
                float(corner.findtext(n) or 0) for n in ("xmin", "ymin", "xmax", "ymax")
            )
            if x1 == x2 or y1 == y2:
                continue  # a click, and no box: the set has two
            x1, y1 = max(x1 - first, 0.0), max(y1 - first, 0.0)
            x2, y2 = min(x2, width), min(y2, height)
            if x2 > x1 and y2 > y1:
                boxes.append((str(each.findtext("name")), x1, y1, x2, y2))
        found[file.stem] = boxes
    return found, sizes


def from_coco(root: Path) -> Boxes:
    found: Boxes = defaultdict(list)
    for file in sorted((root / "annotations").glob("*.json")):
        coco = COCO(str(file))
        names = {each["id"]: each["name"] for each in coco.loadCats(coco.getCatIds())}
        for image in coco.loadImgs(coco.getImgIds()):
            rows = coco.loadAnns(coco.getAnnIds(image["id"]))
            stem = Path(image["file_name"]).stem
            for each in rows:
                x, y, width, height = each["bbox"]
                found[stem].append((names[each["category_id"]], x, y, x + width, y + height))
    return found


def from_yolo(root: Path, sizes: dict[str, tuple[float, float]]) -> Boxes:
    line = next(
        each for each in (root / "data.yaml").read_text().splitlines() if each.startswith("names:")
    )
    text = (root / "data.yaml").read_text()
    names = json.loads(line.partition(":")[2]) if "[" in line else [
        each.partition(":")[2].strip().strip("\"'")
        for each in text.partition("names:")[2].splitlines()[1:] if each.startswith(" ")
    ]  # fmt: skip
    found: Boxes = defaultdict(list)
    for file in sorted((root / "labels").rglob("*.txt")):
        width, height = sizes[file.stem]
        for each in file.read_text().splitlines():
            label, x, y, w, h = each.split()
            cx, cy, bw, bh = (
                float(x) * width,
                float(y) * height,
                float(w) * width,
                float(h) * height,
            )
            corners = cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2
            found[file.stem].append((names[int(label)], *corners))
    return found


def edited(person: Person, store: Store, truth: Boxes, random_: random.Random) -> None:
    """Five each of: a box drawn, a box pulled, a box of another class, a box removed."""
    classes = [each.name for each in store.classes()]
    pictures = [each for each in store.pictures(count=1000).pictures if each.boxes > 2]
    for number, picture in enumerate(random_.sample(pictures, 20)):
        person.open(picture.id)
        until(lambda picture=picture: person.shown() == picture.id)
        own = truth[Path(picture.path).stem]
        if number % 4 == 0:
            person.press("Escape", "1")
            person.drag((1.25, 2.5), (33.75, 44))
            until(lambda: person.page.evaluate("viewfinder.studio.selected().length"))
            own.append((classes[0], *seen(person, (1.25, 2.5, 33.75, 44))))
            continue
        one = store.picture(picture.id)
        box = random_.choice(one.boxes)
        name = next(each.name for each in store.classes() if each.id == box.label)
        at = next(n for n, each in enumerate(own) if same(each, (name, *box.corners)))
        person.page.evaluate("(id) => viewfinder.studio.select([id], {held: true})", box.id)
        x1, y1, x2, y2 = box.corners
        if number % 4 == 1:
            person.drag((x2, y2), (x2 - 9, y2 - 7))
            own[at] = name, *seen(person, (x1, y1, x2 - 9, y2 - 7))
        elif number % 4 == 2:
            other = random_.choice([each for each in classes if each != name])
            person.press(str(classes.index(other) + 1))
            own[at] = other, *box.corners
        else:
            person.press("Delete")
            own.pop(at)
        person.saved()


def seen(person: Person, meant: tuple[float, float, float, float]) -> tuple[float, ...]:
    """What the chosen box is on the page, which a mouse makes to within a pixel."""
    found = person.page.evaluate("viewfinder.studio.selected()[0].corners")
    assert all(abs(a - b) <= 1 for a, b in zip(found, meant, strict=True)), (found, meant)
    return tuple(found)


def same(one: Box, two: Box) -> bool:
    return one[0] == two[0] and all(
        abs(a - b) < CLOSE for a, b in zip(one[1:], two[1:], strict=True)
    )


def differences(truth: Boxes, found: Boxes) -> int:
    """Boxes that one has and the other has not."""
    count = 0
    for stem in truth | found:
        left = list(found.get(stem, []))
        for box in truth.get(stem, []):
            match = next((each for each in left if same(box, each)), None)
            if match is None:
                count += 1
            else:
                left.remove(match)
        count += len(left)
    return count


def main() -> None:
    source = Path(sys.argv[1])
    zero = any("min>0<" in file.read_text() for file in (source / "Annotations").rglob("*.xml"))
    truth, sizes = by_hand(source, 0.0 if zero else 1.0)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "set"
        shutil.copytree(source, root)
        with at_the_page(root, lambda store: None, names=()) as (person, store):
            print(f"{len(truth)} pictures, {sum(map(len, truth.values())):,} boxes")
            for note in store.notes():
                print("  said:", note)
            before = {stem: list(boxes) for stem, boxes in truth.items()}
            edited(person, store, truth, random.Random(3))
            print(f"20 edits, {differences(before, truth)} boxes differ by them")
            for layout in ("coco", "yolo", "voc"):
                out = Path(folder) / layout
                done = person.page.evaluate(EXPORT, [layout, str(out)])
                if layout == "coco":
                    found = from_coco(out)
                elif layout == "yolo":
                    found = from_yolo(out, sizes)
                else:
                    found, _ = by_hand(out, 1.0)
                wrong = differences(truth, found)
                print(f"{layout}: {done['pictures']} pictures, {done['boxes']:,} boxes; lost "
                      f"{done['lost'] or 'nothing'}; {wrong} boxes differ")  # fmt: skip
            if len(sys.argv) > 2:
                person.page.screenshot(path=sys.argv[2])


if __name__ == "__main__":
    main()
