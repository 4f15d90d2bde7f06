"""Whether a name speaks of pictures, of masks or of depth, and what files of one picture share."""

import re
import unicodedata

from viewfinder.datasets.split_names import words_of

KINDS = ("picture", "mask", "depth")

# Words of a folder's name; where several say different things, the first kind here is meant.
_WORDS = {
    "depth": "depth depths depthmap depthmaps dep disparity disparities disp",
    "mask": "gt gts mask masks groundtruth groundtruths truth annotation annotations pixelwisegt",
    "picture": "rgb rgbs image images img imgs im ims picture pictures pic pics photo photos color "
    "colour jpegimages",
}
_KIND_OF_WORD = {word: kind for kind, words in _WORDS.items() for word in words.split()}
# Words that no class of pictures is called by, as `mask` is, where faces wear one or none.
_PLAIN = frozenset({"depths", "depthmap", "depthmaps", "disparity", "gt", "gts"})
_PLAIN |= {"groundtruth", "groundtruths"}
# What files' names add to the stem that they share.
_DEPTH_ADDED, _MASK_ADDED = "depth|dep|disp|disparity", "gt|mask|ground_?truth|ann"
_ADDED = f"rgb|image|img|color|colour|left|{_DEPTH_ADDED}|{_MASK_ADDED}"
_PREFIX = re.compile(rf"(?:{_ADDED})[-_. ]+(?=.)")
_ENDING = re.compile(rf"(?<=.)(?:[-_. ]+|(?<=\d))(?:{_ADDED})$|\.(?:jpe?g|png|bmp|tiff?)$")
_ADDED_BY_KIND = {
    kind: re.compile(rf"(?:{words})[-_. ]+.|.*.[-_. ](?:{words})$", re.DOTALL)
    for kind, words in (("depth", _DEPTH_ADDED), ("mask", _MASK_ADDED))
}


def kind_of(name: str) -> str:
    """The kind of file that a folder's name speaks of, or empty text."""
    words = set(kind_words(name))
    kinds = {_KIND_OF_WORD.get(word, "") for word in words}
    if {"ground", "truth"} <= words:
        kinds.add("mask")
    return next((kind for kind in _WORDS if kind in kinds), "")


def is_plain(name: str) -> bool:
    """Whether a folder's name speaks of masks or depth so that no class can be meant."""
    words = kind_words(name)
    return not _PLAIN.isdisjoint(words) or "".join(words) in ("depth", "groundtruth")


def kind_of_file(name: str) -> str:
    """`mask` or `depth` of a file that says so before or behind its stem, as `1_gt.png` does."""
    stem = name.rpartition(".")[0].casefold()
    return next((kind for kind, added in _ADDED_BY_KIND.items() if added.match(stem)), "")


def bare(place: str) -> str:
    """A place without what the stem of its file's name adds, whatever the case."""
    folder, _, stem = unicodedata.normalize("NFC", place).casefold().rpartition("/")
    stem = _ENDING.sub("", _ENDING.sub("", stem))
    return f"{folder}/{_PREFIX.sub('', stem, count=1)}"


def kind_words(name: str) -> list[str]:
    """The words of a name, in small letters; RGB-D is one of them."""
    return words_of(re.sub(r"(?i)rgb[-_ ]d(?![^\W\d_])", "rgbd", name))
