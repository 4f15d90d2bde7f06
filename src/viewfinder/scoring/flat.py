"""Methods whose maps of several sets lie in one folder, as of co-saliency by categories."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.pictures.finding import pictures_in
from viewfinder.scoring.pairing import Paired, pair
from viewfinder.wording import counted, some


def flat_methods(
    sets: Sequence[Sequence[str]], folders: Mapping[str, Path]
) -> tuple[dict[str, Paired], dict[str, str]]:
    """The maps of each method by the masks of all sets, where no two of these have one name.

    Args:
        sets: the masks of each set.
        folders: of each method, with maps of all sets.

    Returns:
        What was paired, by method; and of each method that was not, why.
    """
    masks = [mask for each in sets for mask in each]
    found, lost = {}, {}
    for method, folder in folders.items():
        maps = [file.name for file in pictures_in(folder)]
        try:
            found[method] = pair(masks, maps, where=str(folder))
        except InputError as error:
            lost[method] = (
                f"its {counted(len(maps), 'map')} in {folder} lie in no folder for each "
                f"set ({some(maps)}) and cannot be told apart, so that it is not scored: {error}"
            )
    return found, lost
