"""Reading a grid of trainings from its file, and refusing all that cannot be meant.

Everything is checked before anything is trained: a grid that stops overnight at its fortieth
training, because a field was misspelt there, has cost a night.
"""

import dataclasses
import difflib
import hashlib
import itertools
import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from viewfinder import nets, tasks
from viewfinder.datasets.opening import TABLETOP
from viewfinder.errors import InputError
from viewfinder.reading import read_bytes
from viewfinder.tasks.figures import OF_EVERY_TASK, Score
from viewfinder.tasks.recipe import Recipe

# A file that asks for more trainings than this is a slip; one that is larger is no grid.
_MOST_RUNS, _LARGEST_FILE = 10_000, 1 << 20
_DEFAULT_SEEDS = 3
# Three bytes a letter at most, and no system takes more than 255 in a name.
_LONGEST_SLUG = 60
# The ablation's own files stand beside the cells' folders.
_TAKEN = ("ablation.toml", "ablation.csv", "ablation.json", "report.html")
_KEYS = ("task", "data", "name", "score", "higher_is_better", "seeds", "baseline")
_TABLES = ("base", "grid", "cells")


@dataclass(frozen=True)
class Cell:
    """One recipe to try.

    Attributes:
        slug: the name of its folder.
        fields: of the recipe, without the seed.
    """

    name: str
    slug: str
    fields: dict[str, object]
    recipe: Recipe


@dataclass(frozen=True)
class Grid:
    """A grid as its file asks for it.

    Attributes:
        data: as `train` takes it.
        baseline: the name of the cell that the others are compared with.
        text: the file itself.
    """

    name: str
    task: str
    data: str
    score: Score
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]
    baseline: str
    text: str


def recipe_with(task: str, fields: Mapping[str, object]) -> Recipe:
    """The recipe that these fields make.

    Raises:
        InputError: no such task, field or net, a value that a field cannot have, or a net that is
            made for another task.
    """
    kind = tasks.recipe_of(task)
    _require_known(fields, [field.name for field in dataclasses.fields(kind)], "field")
    recipe = kind.from_json(dict(fields))
    nets.input_size(recipe.net)
    if recipe.net not in nets.names(task):
        fitting = ", ".join(nets.names(task))
        raise InputError(f"net {recipe.net} is no net for {task}: choose one of {fitting}")
    return recipe


def read_grid(file: str | Path) -> Grid:
    """Read a grid's file.

    Raises:
        InputError: it cannot be read, is no TOML, or asks for what cannot be trained; the text
            names the file and the place in it.
    """
    path = Path(file).expanduser()
    text = _read(path)
    try:
        return _plan(tomllib.loads(text), text, name=path.stem)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not TOML: {error}") from error


def slug(name: str) -> str:
    """A name as a folder's, on any system: what had to be left out comes back as a short hash."""
    plain = name.replace(" ", "_")
    kept = re.sub(r"[^\w.=+-]+", "-", plain)[:_LONGEST_SLUG].strip(".-")
    if kept and kept == plain and kept.lower() not in _TAKEN:
        return kept
    return f"{kept or 'cell'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(f"{path} is larger than any grid's file: give a TOML file")
        return read_bytes(path).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"there is no file {path}: give the TOML file of a grid") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder: give the TOML file of a grid") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not TOML: it is not UTF-8 text") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _plan(document: dict[str, object], text: str, *, name: str) -> Grid:
    _require_known(document, [*_KEYS, *_TABLES], "key")
    task, data = (_word(document, key) for key in ("task", "data"))
    recipe_with(task, {})
    if data != TABLETOP and not _exists(data):
        raise InputError(f"data: there is no folder {data}: give a data set, or `{TABLETOP}`")
    seeds = _seeds(document.get("seeds", _DEFAULT_SEEDS))
    cells = _cells(document, task, runs=len(seeds))
    return Grid(
        name=_word(document, "name") if "name" in document else name,
        task=task,
        data=data,
        score=_score(document, task),
        seeds=seeds,
        cells=cells,
        baseline=_baseline(document.get("baseline", cells[0].name), cells, document),
        text=text,
    )


def _word(document: dict[str, object], key: str) -> str:
    if key not in document:
        raise InputError(f'{key} is missing: add a line such as {key} = "…"')
    value = document[key]
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InputError(f"{key} must be a word in quotes")
    return value


def _exists(data: str) -> bool:
    try:
        return Path(data).expanduser().exists()
    except (OSError, RuntimeError):
        # Too long for any disk, or ~ of nobody.
        return False


def _seeds(value: object) -> tuple[int, ...]:
    seeds = tuple(value) if isinstance(value, list) else value
    if type(seeds) is int and 1 <= seeds <= _MOST_RUNS:
        seeds = tuple(range(seeds))
    if not isinstance(seeds, tuple) or not seeds or any(type(seed) is not int for seed in seeds):
        raise InputError("seeds must be how many, 1 or more, or a list such as [0, 1, 2]")
    if (twice := Counter(seeds).most_common(1)[0])[1] > 1:
        raise InputError(f"seeds holds {twice[0]} twice: a seed trained again shows nothing new")
    if outside := [seed for seed in seeds if not 0 <= seed < 2**31]:
        raise InputError(f"seeds holds {outside[0]}: each must be from 0 to {2**31 - 1}")
    return seeds


def _score(document: dict[str, object], task: str) -> Score:
    """The score to compare by, and which way is up."""
    compared = tasks.find(task).compared
    name = document.get("score", compared[0].name)
    if not isinstance(name, str) or not name:
        raise InputError('score must be the name of a figure, such as "test.accuracy"')
    last = name.rpartition(".")[2]
    directions = {each.name: each for each in (*compared, *OF_EVERY_TASK)}
    known = directions.get(last)
    higher = document.get("higher_is_better", known.higher_is_better if known else None)
    if higher is None:
        raise InputError(
            f"score: it is not known whether more {last} is better{_meant(last, directions)}: add "
            "higher_is_better = true, or false"
        )
    if not isinstance(higher, bool):
        raise InputError("higher_is_better must be true or false")
    return Score(name, higher_is_better=higher, share=known.share if known else False)


def _cells(document: dict[str, object], task: str, *, runs: int) -> tuple[Cell, ...]:
    """Every cell, of the product and by name, none of them twice."""
    base = _table(document, "base")
    own = _product(_table(document, "grid"), runs) + _named(document.get("cells", []))
    if not own:
        raise InputError("the grid is empty: add a table [grid] with lists, or [[cells]]")
    if len(own) * runs > _MOST_RUNS:
        raise InputError(f"the grid has {len(own) * runs:,} trainings: more than {_MOST_RUNS:,}")
    cells: dict[Recipe, Cell] = {}
    for name, fields in own:
        if "seed" in fields or "seed" in base:
            raise InputError("seed is no field here: list the seeds as seeds = [0, 1, 2]")
        try:
            recipe = recipe_with(task, base | fields)
        except InputError as error:
            raise InputError(f"cell {name}: {error}") from error
        if recipe in cells:
            raise InputError(f"cells {cells[recipe].name!r} and {name!r} are the same training")
        cells[recipe] = Cell(name, slug(name), base | fields, recipe)
    # Some systems take A and a for one folder.
    twice, count = Counter(cell.slug.lower() for cell in cells.values()).most_common(1)[0]
    if count > 1:
        raise InputError(f"two cells are called {twice!r}: give each a name of its own")
    return tuple(cells.values())


def _product(grid: dict[str, object], runs: int) -> list[tuple[str, dict[str, object]]]:
    lists: list[list[object]] = []
    for name, values in grid.items():
        if not isinstance(values, list) or not values:
            raise InputError(f"[grid] {name} must be a list of the values to try, such as [1, 2]")
        lists.append(values)
    # Before it is made: a product grows faster than the memory.
    if math.prod(map(len, lists)) * runs > _MOST_RUNS:
        raise InputError(f"the grid has more than {_MOST_RUNS:,} trainings: try fewer values")
    made = [dict(zip(grid, values, strict=True)) for values in itertools.product(*lists)]
    return [(_label(fields), fields) for fields in made if fields]


def _named(cells: object) -> list[tuple[str, dict[str, object]]]:
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise InputError("cells must be tables, each under its own line [[cells]]")
    if len(cells) > _MOST_RUNS:
        raise InputError(f"the grid has more than {_MOST_RUNS:,} trainings: try fewer cells")
    return [
        (_word(cell, "name"), {name: cell[name] for name in cell if name != "name"})
        for cell in cells
    ]


def _baseline(wanted: object, cells: tuple[Cell, ...], document: dict[str, object]) -> str:
    """The one cell that has this name, or these values."""
    if isinstance(wanted, str):
        names = [cell.name for cell in cells]
        if wanted not in names:
            raise InputError(f"baseline: there is no cell {wanted!r}{_meant(wanted, names)}")
        return wanted
    if not isinstance(wanted, dict) or not wanted:
        raise InputError("baseline must be a cell's name, or a table such as {batch = 64}")
    if grid := _table(document, "grid"):
        # The others have names, and what a table leaves open may be anything in them.
        cells = cells[: len(_product(grid, 1))]
    recipes = [dataclasses.asdict(cell.recipe) for cell in cells]
    _require_known(wanted, recipes[0], "field")
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in wanted.items()}
    found = [
        cell.name
        for cell, recipe in zip(cells, recipes, strict=True)
        if all(recipe[name] == value for name, value in values.items())
    ]
    if len(found) != 1:
        many = f"{len(found)} cells have" if found else "no cell has"
        raise InputError(f"baseline: {many} {_label(wanted)}: it must be one of them")
    return found[0]


def _table(document: dict[str, object], key: str) -> dict[str, object]:
    table = document.get(key, {})
    if not isinstance(table, dict):
        raise InputError(f"{key} must be a table: the line [{key}], and a line each field below it")
    return table


def _label(fields: Mapping[str, object]) -> str:
    """A cell's name by what sets it apart: `batch=32 options=[width=0.5]`."""
    return " ".join(f"{name}={_shown(value)}" for name, value in fields.items())


def _shown(value: object) -> str:
    if isinstance(value, list):
        return f"[{' '.join(map(_shown, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _require_known(given: Iterable[str], known: Iterable[str], what: str) -> None:
    known = list(known)
    for name in given:
        if name not in known:
            raise InputError(f"there is no {what} {name!r}{_meant(name, known)}")


def _meant(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word.lower(), list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
