"""The control groups that this process is in, by which Linux limits a container."""

from pathlib import Path

_PROC, _GROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def control_groups(controller: str) -> list[Path]:
    """The folders of the groups that limit `cpu` or `memory`, innermost first; of both versions.

    A group may use no more than those it is in. A container may not see its own path, so some of
    the folders may not be there.
    """
    try:
        lines = (_PROC / "self/cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, _, named = line.partition(":")
        controllers, _, path = named.partition(":")
        # Version 2 has one group, without a controller's name; of version 1, the controller's.
        if named.startswith(":"):
            root = _GROUPS
        elif controller in controllers.split(","):
            root = _GROUPS / controller
        else:
            continue
        group = root / path.strip("/")
        found += [place for place in (group, *group.parents) if place.is_relative_to(root)]
    return found
