"""What a pickle of torch's would load, told from its opcodes: nothing of it is loaded or run.

`torch.save` writes its older format as five pickles and then the numbers of every storage: a magic
number, the version, the machine, the object, and the order of the storages. Each storage is its
count, in 8 bytes, and so many elements (torch/serialization.py, `_legacy_save`).
"""

import io
import pickletools
from dataclasses import dataclass, field
from typing import IO

PICKLE = b"\x80"
"""How pickles begin."""
OLD = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How files of the older format begin."""
COUNT = 8
"""Bytes before each of its storages."""

_PICKLES = 5
# Bytes of pickles, beyond which a file is not looked at: large nets have a tenth of that.
_LONGEST = 1 << 24
# Bytes of an element of torch's storages.
_ELEMENTS = {
    **dict.fromkeys(("ByteStorage", "CharStorage", "BoolStorage"), 1),
    **dict.fromkeys(("HalfStorage", "BFloat16Storage", "ShortStorage"), 2),
    **dict.fromkeys(("FloatStorage", "IntStorage"), 4),
    **dict.fromkeys(("DoubleStorage", "LongStorage", "ComplexFloatStorage"), 8),
    "ComplexDoubleStorage": 16,
}
# Where what a state dict is made of comes from.
_HARMLESS = frozenset(("torch", "collections", "_codecs", "builtins", "__builtin__", "numpy"))
# Within torch, what no tensor is made of.
_OF_NETS = ("torch.nn.modules", "torch.optim")
_PUTS = frozenset(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"))
_GETS = frozenset(("GET", "BINGET", "LONG_BINGET"))
_MARK = object()


@dataclass
class Pickled:
    """What pickles that follow each other name.

    Attributes:
        named: classes and functions, as `module name`.
        storages: bytes of each storage's elements, by its key; None where that is not known.
        length: of the pickles, in bytes.
    """

    named: set[str] = field(default_factory=set)
    storages: dict[str, int | None] = field(default_factory=dict)
    length: int = 0

    @property
    def foreign(self) -> list[str]:
        """Those names that are no part of named tensors."""
        return sorted(each for each in self.named if not _is_harmless(each))

    @property
    def with_storages(self) -> int | None:
        """Of a file of the older format, how long it is in bytes; None where that is not known."""
        sizes = [size for size in self.storages.values() if size is not None]
        whole = self.length + sum(sizes) + COUNT * len(sizes)
        return whole if len(sizes) == len(self.storages) else None


def pickled_in(file: IO[bytes], *, old: bool = False) -> Pickled | None:
    """What the pickle at a file's start names; None where it is too long to be looked at.

    Args:
        old: it is a file of the older format, and all of its pickles are asked.

    Raises:
        ValueError: they end too soon, or are damaged.
    """
    data = file.read(_LONGEST)
    inner, found = io.BytesIO(data), Pickled()
    try:
        for _ in range(_PICKLES if old else 1):
            _name_all(inner, found)
    except Exception as error:  # A stranger's bytes may break a reader in any way.
        if len(data) == _LONGEST:
            return None
        raise ValueError(str(error)) from error
    found.length = inner.tell()
    return found


def _is_harmless(named: str) -> bool:
    module = named.partition(" ")[0]
    return module.partition(".")[0] in _HARMLESS and not module.startswith(_OF_NETS)


def _name_all(file: IO[bytes], found: Pickled) -> None:
    """Add what the pickle at a file's place names."""
    stack, memo = list[object](), dict[object, object]()
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name in _PUTS:
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif opcode.name in _GETS:
            stack.append(memo[argument])
        else:
            _take(opcode, argument, stack, found)


def _take(
    opcode: pickletools.OpcodeInfo, argument: object, stack: list[object], found: Pickled
) -> None:
    """One step of a machine that knows texts, numbers and tuples, and nothing of all else."""
    name, before = opcode.name, list(opcode.stack_before)
    above: list[object] = []
    if pickletools.markobject in before:
        before = before[: before.index(pickletools.markobject)]
        mark = next(place for place in range(len(stack) - 1, -1, -1) if stack[place] is _MARK)
        above = stack[mark + 1 :]
        del stack[mark:]
    count = len(stack) - len(before)
    taken = stack[count:]
    del stack[count:]
    if name in ("GLOBAL", "INST"):
        found.named.add(str(argument))
    elif name == "STACK_GLOBAL":
        argument = " ".join(each for each in taken if isinstance(each, str))
        found.named.add(argument)
    elif name.startswith("TUPLE"):
        argument = (*above, *taken)
    elif name == "BINPERSID":
        _keep_storage(taken[0], found)
    elif name == "MARK":
        argument = _MARK
    stack.extend([argument] * len(opcode.stack_after))


def _keep_storage(told: object, found: Pickled) -> None:
    """Keep a storage that is told as torch does: what it is, its class, key, place and count."""
    match told:
        case ("storage", str(kind), str(key), _, int(count), *_):
            size = _ELEMENTS.get(kind.rpartition(" ")[2])
            found.storages[key] = None if size is None or count < 0 else size * count
        case _:
            found.storages[f"unknown {len(found.storages)}"] = None
