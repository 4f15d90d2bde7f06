"""How files of weights begin and end: what is none, or was cut short, is refused without torch."""

import json
import zipfile
from pathlib import Path

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets.pickled import OLD, PICKLE, pickled_in
from viewfinder.reading import open_file
from viewfinder.values import as_whole

# What Darknet calls its files, of a whole net and of its first layers.
_DARKNET, _FIRST_LAYERS = ".weights", ".conv."
# Bytes of a safetensors header, which names tensors.
_LONGEST = 100_000_000
_HEAD = 512
# Bytes of a number of Darknet's, in its headers too.
_NUMBER = 4


def look_at_weights(path: Path, net: str) -> None:
    """Refuse at a glance what no net, or not this one, can start from; a run's folder is not asked.

    Raises:
        InputError: it is a folder, text, cut short, or of a format that the net has no use for.
    """
    head = read_head(path)
    if is_safetensors(path, head):
        _require_whole(path)
    elif head.startswith(b"PK"):
        if not is_program(path):
            refuse_compressed(path)
        _require_tensors_alone(path)
    elif head.startswith(OLD):
        _require_whole_old(path)
    elif head.startswith(PICKLE):
        raise InputError(more_than_tensors(path))
    elif is_darknet(path):
        if net in nets.names() and net not in nets.names("detect"):
            raise InputError(darknets(path))
        if path.stat().st_size % _NUMBER:
            raise InputError(f"{path} was cut short: fetch or save it again")
    else:
        raise InputError(unreadable(path))


def read_head(path: Path) -> bytes:
    """The first bytes of what may be a file of weights.

    Raises:
        InputError: it is no file, cannot be read, or is what was saved in the place of weights.
    """
    if path.is_dir():
        raise InputError(
            f"{path} is a folder that holds no run: give a run's folder, or a file of weights"
        )
    try:
        with open_file(path) as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise InputError(f"cannot read the weights {path}: {error.strerror or error}") from error
    _refuse_text(path, head)
    return head


def is_safetensors(path: Path, head: bytes) -> bool:
    """Whether a file is eight bytes of length and then JSON, whatever it is called."""
    return path.suffix == ".safetensors" or head[8:9] == b"{"


def is_darknet(path: Path) -> bool:
    """Whether a file is one of Darknet's, by its name: nothing in it says so."""
    return path.suffix == _DARKNET or _FIRST_LAYERS in path.name


def darknets(path: Path) -> str:
    """What to do with a file of Darknet's in the place of another one."""
    return (
        f"{path} is a file of Darknet's, whose weights are a detector's: train detect, with --net "
        "yolov3, yolov3-spp or yolov3-tiny, or give a .safetensors, .pt or .pth file"
    )


def unreadable(path: Path, why: str = "") -> str:
    """What to do with a file that is none of weights, for a reason if one is known."""
    return (
        f"{path} is not a weight file that can be read, or it is damaged{why and f' ({why})'}: "
        "fetch or save it again, or give a .safetensors file, or a .pt or .pth file that "
        "torch.save wrote"
    )


def more_than_tensors(path: Path) -> str:
    """What to do with a file that torch's reader of tensors alone does not take."""
    return (
        f"{path} was refused: it holds more than tensors, and Python objects in a file can "
        f"run any code when they are loaded; where the file was made, write "
        f"torch.save(net.state_dict(), 'weights.pt') and use that file"
    )


def refuse_compressed(path: Path) -> None:
    """Refuse an archive that would grow as it is read: torch.save compresses nothing.

    Raises:
        InputError: an entry is compressed, or they are longer together than the file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except Exception as error:  # A foreign file may break a reader in any way.
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise InputError(
            f"{path} is damaged or was cut short ({reason}): fetch or save it again"
        ) from error
    compressed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if compressed or sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise InputError(
            f"{path} was refused: it is compressed, which torch.save never does, and could grow to "
            "any size as it is read; unpack it, or save the weights again by torch.save"
        )


def is_program(path: Path) -> bool:
    """Whether this is a TorchScript archive, a net's code beside its weights."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(Path(name).name == "constants.pkl" for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _require_tensors_alone(path: Path) -> None:
    """See that an archive is one of torch's, and that what it names can be in named tensors."""
    if is_program(path):
        raise InputError(more_than_tensors(path))
    try:
        with zipfile.ZipFile(path) as archive:
            inner = [each for each in archive.namelist() if Path(each).name == "data.pkl"]
            told = None
            for each in inner[:1]:
                with archive.open(each) as file:
                    told = pickled_in(file)
    except (ValueError, OSError, zipfile.BadZipFile):
        return  # which its reader says better
    if not inner:
        raise InputError(unreadable(path, "an archive without the data.pkl of torch.save"))
    if told is not None and told.foreign:
        raise InputError(more_than_tensors(path))


def _require_whole_old(path: Path) -> None:
    """See that a file of torch's older format is as long as it says, and holds tensors alone."""
    cut = InputError(f"{path} was cut short: fetch or save it again")
    with open_file(path) as file:
        try:
            told = pickled_in(file, old=True)
        except ValueError as error:
            raise cut from error
    if told is not None and told.foreign:
        raise InputError(more_than_tensors(path))
    if told is not None and (told.with_storages or 0) > path.stat().st_size:
        raise cut


def _require_whole(path: Path) -> None:
    """See that a safetensors file is as long as its header says."""
    try:
        start, table = safetensors_table(path)
        whole = start + max((end for _, end in table.values()), default=0) <= path.stat().st_size
    except ValueError:
        return  # which its reader says better
    if not whole:
        raise InputError(f"{path} was cut short: fetch or save it again")


def safetensors_table(path: Path) -> tuple[int, dict[str, tuple[int, int]]]:
    """Where the numbers of a safetensors file begin, and each tensor's first and last byte there.

    Raises:
        ValueError: its header is damaged, or cut short.
    """
    with open_file(path) as file:
        count = int.from_bytes(file.read(8), "little")
        text = file.read(count) if count <= min(path.stat().st_size, _LONGEST) else b""
    try:
        table = json.loads(text)
        return 8 + count, {
            key: (as_whole(each["data_offsets"][0]), as_whole(each["data_offsets"][1]))
            for key, each in table.items()
            if key != "__metadata__"
        }
    except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _refuse_text(path: Path, head: bytes) -> None:
    """Refuse what was saved in the place of weights.

    Raises:
        InputError: the file is empty, a web page, or git's pointer to a large file.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise InputError(f"{path} is empty (0 bytes): fetch it again")
    if text.startswith(b"version https://git-lfs"):
        raise InputError(
            f"{path} is git's pointer to a large file, and not that file: run `git lfs pull` where "
            "it came from, or download the file itself"
        )
    if text.startswith(b"<"):
        raise InputError(
            f"{path} is a web page, and not weights: the server answered with a page in the file's "
            "place; open the address in a browser and download the file itself"
        )
