"""Nothing half-written is found under its final name: kills, full disks, read-only places."""

import errno
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap

import pytest

from viewfinder.errors import InputError
from viewfinder.files import inside, new_folder, replacing, write_bytes, write_json, write_text

NAMES = ["plain.txt", "with space.txt", "图片 été.txt", "🙂.txt", "a'b\"c$d.txt"]


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A second process, for what this one could not survive."""
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


SWEEPS = """
    import sys
    from pathlib import Path
    from viewfinder.files import write_bytes
    write_bytes(Path(sys.argv[1]), b"new")
"""


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read_back_and_nothing_else_is_left(tmp_path, name):
    path = tmp_path / "new" / "folders" / name
    write_text(path, "one\r\ntwo – 图\n")
    assert path.read_bytes() == "one\r\ntwo – 图\n".encode()
    write_bytes(path, b"\0\xff")
    assert path.read_bytes() == b"\0\xff"
    assert [p.name for p in path.parent.iterdir()] == [name]


def test_files_get_the_permissions_that_a_plain_open_gives(tmp_path):
    script = """
        import os, sys
        from pathlib import Path
        os.umask(0o027)
        from viewfinder.files import new_folder, write_bytes
        def refused(mask): raise AssertionError("other threads write files meanwhile")
        os.umask = refused
        write_bytes(Path(sys.argv[1]) / "file", b"")
        with new_folder(Path(sys.argv[1]) / "folder"):
            pass
    """
    done = run(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o750


def test_json_holds_names_that_are_not_utf_8_and_refuses_what_is_no_number(tmp_path):
    name = os.fsdecode(b"caf\xe9.jpg")
    write_json(tmp_path / "a.json", {"source": name, "图": 1})
    data = (tmp_path / "a.json").read_bytes()
    assert json.loads(data.decode("utf-8")) == {"source": name, "图": 1}
    assert "图".encode() in data
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", {"loss": float("nan")})
    assert not (tmp_path / "b.json").exists()


def _write_half(file):
    file.write(b"new, but half")
    raise ZeroDivisionError


def test_a_block_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        _write_half(file)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_kill_9_in_the_middle_of_writing_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "weights"
    write_bytes(path, b"old" * 1000)
    script = """
        import os, signal, sys
        from pathlib import Path
        from viewfinder.files import replacing
        with replacing(Path(sys.argv[1])) as file:
            file.write(b"new" * 1_000_000)
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run(script, path).returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old" * 1000
    left = [p for p in tmp_path.iterdir() if p != path]
    assert [p.name.startswith(".writing-") for p in left] == [True]
    # Who writes next into the same folder removes what the killed one left.
    assert not run(SWEEPS, path).stderr
    assert list(tmp_path.iterdir()) == [path]


def test_kill_9_in_the_middle_of_filling_a_folder_leaves_no_folder(tmp_path):
    script = """
        import os, signal, sys
        from pathlib import Path
        from viewfinder.files import new_folder
        with new_folder(Path(sys.argv[1])) as folder:
            (folder / "one").write_bytes(b"1")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run(script, tmp_path / "out").returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    assert len(list(tmp_path.iterdir())) == 1
    assert not run(SWEEPS, tmp_path / "file").stderr
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_what_a_living_process_writes_is_not_swept_nor_what_only_looks_alike(tmp_path):
    for name in ("notes.2024.writing", ".writing-notes.txt", ".writing-1-abcdefgh"):
        (tmp_path / name).write_bytes(b"mine")
    with replacing(tmp_path / "a") as file, new_folder(tmp_path / "b"):
        file.write(b"a")
        assert not run(SWEEPS, tmp_path / "file").stderr
    assert len(list(tmp_path.iterdir())) == 6


def test_another_container_s_process_is_known_by_its_lock(tmp_path):
    # Its number says nothing here; 4194304 is one that Linux never gives.
    begun = tmp_path / ".writing-4194304-abcdefgh"
    begun.write_bytes(b"half")
    with begun.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert not run(SWEEPS, tmp_path / "file").stderr
        assert begun.exists()
    assert not run(SWEEPS, tmp_path / "file").stderr
    assert not begun.exists()


def test_a_folder_with_leftovers_alone_is_as_good_as_empty(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/.writing-x").write_bytes(b"half")
    with new_folder(tmp_path / "out") as folder:
        (folder / "one").write_bytes(b"1")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["one"]


def test_what_lies_inside_is_told_from_what_links_lead_to(tmp_path):
    (tmp_path / "set/below").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").write_bytes(b"")
    (tmp_path / "set/out").symlink_to(tmp_path / "other")
    (tmp_path / "set/file").symlink_to(tmp_path / "other/file")
    (tmp_path / "set/in").symlink_to("below")
    (tmp_path / "alias").symlink_to("set")
    root = tmp_path / "alias"
    assert inside(root, [root / "in/a", root / "b"]) == [
        tmp_path / "set/below/a",
        tmp_path / "set/b",
    ]
    for path in ("out/new", "out/file", "file", "../other/file", "in/../../other/x"):
        with pytest.raises(InputError, match=f"leads to {tmp_path}/other/.*outside of"):
            inside(root, [root / path])
    assert inside(root, [root / "file"], follow=False) == [tmp_path / "set/file"]


# Prints the error's text and then what stands in the folder.
WRITE = """
    import sys
    from pathlib import Path
    from viewfinder.errors import InputError
    from viewfinder.files import write_bytes
    path = Path(sys.argv[1])
    try:
        write_bytes(path, b"new" * 1_000_000)
    except InputError as error:
        print(error)
    print(sorted(p.name for p in path.parent.iterdir()), path.read_bytes()[:9])
"""


def test_a_file_larger_than_the_account_allows_is_refused_and_the_old_one_kept(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    limit = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    """
    done = run(textwrap.dedent(limit) + textwrap.dedent(WRITE), tmp_path / "file")
    assert done.stdout.splitlines() == [
        f"cannot write {tmp_path / 'file'}: the file would be larger than this disk or account "
        "allows",
        "['file'] b'old'",
    ], done.stderr


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 256 KiB, or a skip where this account may not mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a full disk needs the right to mount one: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_said_and_the_old_file_kept(tiny_disk):
    path = tiny_disk / "file"
    write_bytes(path, b"old")
    with pytest.raises(InputError, match="the disk is full: free some space"):
        write_bytes(path, b"new" * 1_000_000)
    assert path.read_bytes() == b"old"
    with pytest.raises(InputError, match="the disk is full"), new_folder(tiny_disk / "out") as out:
        (out / "large").write_bytes(b"new" * 1_000_000)
    assert list(tiny_disk.iterdir()) == [path]


def test_a_read_only_folder_is_refused_and_nothing_changed(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    # Root may write anywhere, so the writing is done by nobody.
    for folder in [tmp_path, *tmp_path.parents][:4]:
        if os.geteuid() == 0:
            folder.chmod(0o755)
    tmp_path.chmod(0o555)
    drop = "import os\nimport viewfinder.files\nif os.geteuid() == 0: os.setuid(65534)\n"
    try:
        done = run(drop + textwrap.dedent(WRITE), path)
    finally:
        tmp_path.chmod(0o755)
    told, left = done.stdout.splitlines()
    assert told == (
        f"cannot write {path}: you may not write there: choose another folder or change its "
        "permissions"
    ), done.stderr
    assert left == "['file'] b'old'"


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EROFS, "read-only"),
        (errno.EDQUOT, "quota"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_every_refusal_says_why(tmp_path, number, says):
    with pytest.raises(InputError, match=says), replacing(tmp_path / "file"):
        raise OSError(number, os.strerror(number))
    assert list(tmp_path.iterdir()) == []


def test_a_path_through_a_file_and_a_name_too_long_are_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot write"):
        write_bytes(tmp_path / "file" / "below", b"")
    with pytest.raises(InputError, match="name is too long"):
        write_bytes(tmp_path / ("n" * 300), b"")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def _fill_half(path):
    with new_folder(path) as folder:
        (folder / "one").write_bytes(b"1")
        raise ZeroDivisionError


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path):
    out = tmp_path / "图 out"
    with new_folder(out) as folder:
        (folder / "one").write_bytes(b"1")
        assert not out.exists()
    assert [p.name for p in out.iterdir()] == ["one"]
    with pytest.raises(InputError, match="exists already"), new_folder(out):
        pass
    with pytest.raises(ZeroDivisionError):
        _fill_half(tmp_path / "other")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["图 out"]


def test_a_new_folder_takes_the_place_of_an_empty_one_and_of_no_file(tmp_path):
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty") as folder:
        (folder / "one").write_bytes(b"1")
    assert (tmp_path / "empty" / "one").exists()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="exists already"), new_folder(tmp_path / "file"):
        pass
