"""On what disk the labels lie, by what Linux says of its mounts."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from viewfinder.datasets.opening import open_dataset
from viewfinder.studio.store import Operation, PutBox, PutClass, mounts, open_store

MOUNTS = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:30 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
31 30 8:2 / /home/me/disk\\040of\\040mine rw - ext4 /dev/sda2 rw
32 21 0:32 / /share rw - cifs //server/share rw,vers=3.0
33 21 0:33 / /over rw - overlay overlay rw,lowerdir=/l,upperdir=/u,volatile
34 21 0:34 / /plain rw - overlay overlay rw,lowerdir=/l,upperdir=/u
35 21 0:35 / /far rw master:3 - fuse.sshfs me@there: rw
36 21 8:3 / /usb rw - fuseblk /dev/sdb1 rw
37 21 0:37 / /twice rw - nfs server:/a rw
38 21 8:4 / /twice rw - xfs /dev/sdc rw
a line that is none
"""


@pytest.mark.parametrize(
    ("place", "kind", "said"),
    [
        ("/photos", "ext4", ""),
        ("/home/me/photos", "nfs4", "another machine"),
        ("/home/me/disk of mine/photos", "ext4", ""),
        ("/homely", "ext4", ""),
        ("/share/photos", "cifs", "another machine"),
        ("/over/photos", "overlay", "volatile"),
        ("/plain/photos", "overlay", ""),
        ("/far", "fuse.sshfs", "another machine"),
        ("/usb/photos", "fuseblk", ""),
        ("/twice/photos", "xfs", ""),
    ],
)
def test_a_disk_is_known_by_its_mount(place, kind, said):
    assert mounts.disk_of(Path(place), MOUNTS)[0] == kind
    caution = mounts.caution_of(Path(place), MOUNTS)
    assert said in caution
    assert bool(said) == bool(caution)


def test_on_a_disk_of_another_machine_no_write_ahead_log_is_kept(photos, tmp_path, monkeypatch):
    """Neither in a new store nor in one that was begun on a disk of this machine."""
    file = photos / ".viewfinder" / "labels.db"
    with open_store(photos, wait=True) as store:
        store.apply(Operation("a", (PutClass("k", "K", 0),), "ann"))
        assert store.caution() == ""
    made_up = tmp_path / "mountinfo"
    made_up.write_text("21 1 0:30 / / rw - nfs4 server:/home rw\n")
    monkeypatch.setattr(mounts, "_MOUNTS", made_up)
    with open_store(photos) as store:
        store.apply(Operation("b", (PutBox("b", 1, "k", (0, 0, 5, 5), 0),), "ann"))
        assert "PostgreSQL" in store.caution()
        assert not file.with_name("labels.db-wal").exists()
        assert len(open_dataset(photos, deal=False).boxes) == 1
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
