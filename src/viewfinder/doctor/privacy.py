"""Keeping the user out of what is shown: a report is sent to strangers who help.

Every text that comes from outside (a path, an error, a tool's answer) goes through `Cleaner.clean`
before it becomes a fact.
"""

import getpass
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from viewfinder.wording import shown

_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASS|PWD$|KEY|CREDENTIAL|AUTH|COOKIE|SESSION|PRIVATE|DSN|WEBHOOK", re.IGNORECASE
)
# Credentials within an address: https://name:word@host
_USERINFO = re.compile(r"(?<=://)[^\s/@]+@")
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{1,12}://\S+", re.IGNORECASE)
# Homes of others.
_HOMES = re.compile(r"(?<=/home/)[^/\s'\"]+|(?<=/Users/)[^/\s'\"]+")
# A string, or a comment.
_QUOTED = re.compile(r"('[^'\n]*'|\"[^\"\n]*\"|#.*)")
# A secret shorter than this could be any word.
_SHORTEST = 5
_LONGEST = 300
# Names that say nothing of a person, and that stand in the names of products.
_NOBODY = {"root", "user", "ubuntu", "nvidia", "admin", "docker", "runner", "debian", "python"}


@dataclass(frozen=True)
class Cleaner:
    """Replaces what identifies a person; see `cleaner`."""

    hidden: tuple[tuple[str, str], ...]
    users: tuple[str, ...]

    def clean(self, text: str) -> str:
        """On one line, without home, user, host, addresses and secrets, at most 300 long."""
        words = _ADDRESS.sub("(address)", _USERINFO.sub("", " ".join(text.split())))
        for secret, instead in self.hidden:
            words = words.replace(secret, instead)
        for user in self.users:
            words = re.sub(
                rf"(?<![\w]){re.escape(user)}(?![\w])", "(user)", words, flags=re.IGNORECASE
            )
        words = _HOMES.sub("(user)", words)
        return shown(words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…")

    def code(self, text: str) -> str:
        """Source text, with its lines and blanks, without home, secrets and the user's name.

        Of code itself a call or an attribute that is called as the user is stays, as `x.max()`.
        """
        words = _USERINFO.sub("", text)
        for secret, instead in self.hidden:
            words = words.replace(secret, instead)
        for user in self.users:
            name = re.escape(user)
            word = re.compile(rf"(?<!\w){name}(?!\w)", re.IGNORECASE)
            # Every other part is a string or a comment.
            parts = _QUOTED.split(words)
            parts[1::2] = [word.sub("(user)", part) for part in parts[1::2]]
            words = "".join(parts)
            words = re.sub(rf"(?<![\w.]){name}(?![\w(])", "(user)", words, flags=re.IGNORECASE)
        return _HOMES.sub("(user)", words)

    def path(self, path: Path) -> str:
        """A path, as it can be shown: `~` for the home, and below the working folder from there."""
        place = Path(os.path.abspath(path))  # noqa: PTH100  # links stay: what is shown was typed
        try:
            inside = place.relative_to(Path.cwd())
        except (ValueError, OSError):
            return self.clean(str(place))
        return self.clean("." if inside == Path() else f"./{inside.as_posix()}")


def cleaner(environment: Mapping[str, str] | None = None) -> Cleaner:
    """One for this user, by their environment."""
    known = os.environ if environment is None else environment
    homes = {known.get("HOME", ""), known.get("USERPROFILE", ""), _home()}
    hidden = {home.rstrip("/\\"): "~" for home in homes if len(home.rstrip("/\\")) > 1}
    for name, value in known.items():
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST and not _is_place(value):
            hidden[value] = "(hidden)"
        # Of a proxy or an index, what stands before the @.
        for found in _USERINFO.findall(value):
            hidden |= {
                part: "(hidden)" for part in (found, *found[:-1].split(":")) if len(part) >= 3
            }
    users = {known.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")}
    users |= {Path(home).name for home in homes if home} | {
        _user(),
        _host(),
        known.get("HOSTNAME", ""),
    }
    named = [user for user in users if len(user) > 1 and user.lower() not in _NOBODY]
    longest = sorted(hidden.items(), key=lambda pair: -len(pair[0]))
    return Cleaner(tuple(longest), tuple(sorted(named, key=lambda name: (-len(name), name))))


def _is_place(value: str) -> bool:
    try:
        return Path(value).exists()
    except (OSError, ValueError):
        return False


def _home() -> str:
    try:
        return str(Path.home())
    except (RuntimeError, OSError, KeyError):
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _host() -> str:
    try:
        return socket.gethostname()
    except OSError:
        return ""
