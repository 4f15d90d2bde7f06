"""Values of JSON and TOML that strangers may have written, each held to its kind."""


def as_table(value: object) -> dict[str, object]:
    """An object of JSON, or a table of TOML; its keys are text in both.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{value!r:.40} is no table")
    return value


def as_list(value: object) -> list[object]:
    """A list, or what was a tuple before it was written.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r:.40} is no list")
    return list(value)


def as_tables(value: object) -> list[dict[str, object]]:
    """A list of tables.

    Raises:
        ValueError: it is something else.
    """
    return [as_table(each) for each in as_list(value)]


def as_text(value: object) -> str:
    """A text.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is no text")
    return value


def as_whole(value: object) -> int:
    """A whole number.

    Raises:
        ValueError: it is something else, such as true.
    """
    if type(value) is not int:
        raise ValueError(f"{value!r:.40} is no whole number")
    return value


def as_number(value: object) -> float:
    """A number, whole or not.

    Raises:
        ValueError: it is something else, such as true.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r:.40} is no number")
    return value


def as_number_or_none(value: object) -> float | None:
    """A number, or null.

    Raises:
        ValueError: it is something else.
    """
    return None if value is None else as_number(value)
