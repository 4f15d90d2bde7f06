"""Where the paths of a YOLO set's files lead: often from another computer's folders."""

import os
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from viewfinder.datasets.formats.yolo.data_yaml import Value
from viewfinder.datasets.locating import likeliest
from viewfinder.datasets.survey import Survey
from viewfinder.pictures.finding import is_picture


@dataclass
class Paths:
    """How a set's paths are looked up: from `bases`, the likeliest first; `notes` says oddities."""

    seen: Survey
    bases: list[Path]
    notes: list[str]

    def add_base(self, base: Path, given: str, values: dict[str, Value]) -> None:
        """Count from the folder that `path` names; but a set whose own folder has all that its
        file names is read there, not in another copy that `path` leads to."""
        inside = not relative(base, self.seen.root).startswith("/")
        named = [p for v in values.values() for p in ([v] if isinstance(v, str) else v) if p]
        here = [folder_or_list_at(self.bases[0] / plain_path(place)) for place in named]
        if inside or not here or None in here:
            self.bases.insert(0, base)
        elif base.is_dir():
            self.notes.append(f"path leads to another folder, {given:.80}: what is here is read")

    def folder_or_list(self, place: str) -> Path | None:
        """The folder or text file that an entry means."""
        plain = plain_path(place)
        # Some exporters count from the folder that holds `train/`, and write `../train/images`.
        for name in (plain, plain.removeprefix("../")):
            for base in self.bases:
                if (found := folder_or_list_at(base / name)) is not None:
                    return found
        for name in path_ends(plain):
            for base in self.bases:
                if (found := folder_or_list_at(base / name)) is not None:
                    self.notes.append(f"{place:.80} is not here: {name} is read in its place")
                    return found
        return None

    def picture(self, line: str, near: Path) -> str | None:
        """The picture that a line of a list means, as a path of the set."""
        plain = plain_path(line)
        for base in dict.fromkeys([*self.bases, near, near.parent, self.seen.root]):
            target = base / plain
            inside = relative(target, self.seen.root)
            if not inside.startswith("/"):
                if (found := self.seen.pictures.exact(inside)) is not None:
                    return found
            elif target.is_file():
                return inside
        found_by_name = self.seen.pictures.named(plain)
        if not found_by_name and not is_picture(plain):  # a stem, or the file of labels
            stem = plain.rpartition("/")[2].removesuffix(".txt")
            found_by_name = likeliest(self.seen.pictures.of_stem(stem))
        return found_by_name[0] if len(found_by_name) == 1 else None


def relative(path: Path, root: Path) -> str:
    """A path as a set has it: from its root, or whole where it lies elsewhere; links stay links."""
    plain = os.path.abspath(path)  # noqa: PTH100
    inside = os.path.relpath(plain, os.path.abspath(root))  # noqa: PTH100
    return plain if inside.startswith("..") else inside.replace(os.sep, "/")


def folder_or_list_at(target: Path) -> Path | None:
    if any(sign in target.name for sign in "*?["):  # images/*, images/*.jpg
        target = target.parent
    if target.is_dir() or (target.suffix.lower() == ".txt" and target.is_file()):
        return target
    return None


def plain_path(place: str) -> str:
    return place.replace("\\", "/") if "\\" in place else place


def path_ends(plain: str) -> list[str]:
    """What a path that is not here may be called here: its last parts, the most first."""
    parts = [
        part for part in PureWindowsPath(plain).as_posix().split("/") if part not in ("", "..")
    ]
    return ["/".join(parts[start:]) for start in range(1, len(parts))]
