"""A saliency set: opened, its masks corrected, its depth seen, and read again by `train`."""

import numpy as np
from brightness_net import write_brightness
from studio_page import Person, until

from viewfinder.datasets.formats.rgbd.reading import read_nearness, read_subject
from viewfinder.datasets.opening import open_dataset
from viewfinder.datasets.splits import TEST
from viewfinder.pictures.masks import box_around, decode
from viewfinder.pictures.writing import write_depth, write_mask, write_picture
from viewfinder.studio.store import open_store


def a_set(root):
    random = np.random.default_rng(0)
    for number in range(4):
        mask = np.zeros((120, 160), np.bool_)
        mask[30:80, 40 + 5 * number : 100] = number < 3
        side = root / ("train" if number < 2 else "test")
        write_picture(side / "RGB" / f"{number}.png", random.integers(0, 255, (120, 160, 3), "u1"))
        write_mask(side / "GT" / f"{number}.png", mask)
        write_depth(side / "depth" / f"{number}.png", np.where(mask, 0.9, 0.2).astype("f4"))
    return root


def test_masks_are_corrected_and_read_again_by_train(visit, serve, tmp_path):
    root = a_set(tmp_path / "set")
    before = open_dataset(root)
    with open_store(root, wait=True) as store:
        served = serve(store)
        page = visit(served.address.url)
        person = Person(page, store)
        at = store.pictures().pictures[0].id  # files of masks and depth had numbers too
        assert person.shown() == at
        box = store.picture(at).boxes[0]
        first = before.paths.index(store.picture(at).picture.path)
        mask = read_subject(before, first)
        assert (decode(box.mask, (160, 120)) == mask).all()
        assert tuple(box.corners) == box_around(mask)
        assert person.boxes(at)[0][0] == "salient"
        page.locator("#stage").focus()
        person.press("Shift+g")
        page.locator("img.depth").wait_for()
        size = page.evaluate("document.querySelector('img.depth').naturalWidth")
        assert size == 160
        person.press("Shift+g")
        until(lambda: page.locator("img.depth").count() == 0)
        person.press(".", "Shift+j")
        person.rest()
        page.evaluate("viewfinder.shaping.radius = 30")
        person.drag((70, 20), (70, 90), steps=4)
        until(lambda: not decode(store.picture(at).boxes[0].mask, (160, 120))[50, 70])
        person.saved()
        corrected = decode(store.picture(at).boxes[0].mask, (160, 120))
        done = store.export(tmp_path / "out", to="masks")
        page.context.close()
    assert done.pictures == 4
    assert any("corrected in the studio" in note for note in open_dataset(root).notes)
    back = open_dataset(tmp_path / "out")
    assert sorted(back.splits) == sorted(before.splits)
    names = [path.rpartition("/")[2] for path in before.paths]
    for row, path in enumerate(back.paths):
        old = names.index(path.rpartition("/")[2])
        wanted = corrected if old == first else read_subject(before, old)
        assert (read_subject(back, row) == wanted).all()
        assert np.allclose(read_nearness(back, row), read_nearness(before, old), atol=2e-5)


def test_a_saliency_network_proposes_outlines_for_a_picture_without_a_mask(visit, serve, tmp_path):
    root = a_set(tmp_path / "set")
    net = write_brightness(tmp_path / "bright.onnx")
    with open_store(root, wait=True) as store:
        picture = np.full((120, 160, 3), 20, np.uint8)
        picture[40:90, 30:70] = 250
        write_picture(root / "test/RGB/late.png", picture)
        (late,) = store.look_at_disk().added
        at = next(each.id for each in store.pictures().pictures if each.path == late)
        page = visit(serve(store).address.url)
        person = Person(page, store)
        person.press("Shift+p")
        dialog = page.locator("dialog[open]")
        assert dialog.locator("input[type=radio]:enabled").count() == 1
        assert not dialog.get_by_label("Class of all").count()
        assert "which a saliency network proposes" in dialog.inner_text()
        dialog.get_by_label("Run or file").fill(str(net))
        dialog.get_by_role("button", name="Propose", exact=True).click()
        until(lambda: store.picture(at).proposals)
        (ghost,) = store.picture(at).proposals
        assert ghost.name == "salient"
        person.open(at)
        until(lambda: page.evaluate("viewfinder.studio.ghosts().length"))
        person.press("Shift+y", "Enter")
        person.saved()
        (box,) = store.picture(at).boxes
        assert (decode(box.mask, (160, 120)) == (picture[..., 0] > 128)).all()
        write_picture(root / "test/RGB/bare.png", picture[::-1])
        store.look_at_disk()
        done = store.export(tmp_path / "out", to="masks")
        page.context.close()
    assert (done.pictures, done.boxes) == (5, 4)
    assert "1 picture that came later: without a map of depth here" in done.notes
    assert "1 picture still to do, without a mask: left out" in done.notes
    back = open_dataset(tmp_path / "out")
    row = next(n for n, path in enumerate(back.paths) if path.endswith("late.png"))
    assert (read_subject(back, row) == (picture[..., 0] > 128)).all()
    assert back.splits[row] == TEST
