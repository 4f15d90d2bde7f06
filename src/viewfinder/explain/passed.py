"""What a function of torch is given, by place and by name: of types that are its own affair."""

from collections.abc import Mapping
from typing import Any

Args = tuple[Any, ...]
Kwargs = Mapping[str, Any]
