"""Planted near-duplicates: thumbnails' hashes beside features, found and wrongly found.

    python benchmarks/near_duplicates.py --blood DIR --photos DIR --video FILE

Pictures of a set, and of each six others: saved again as JPEG of quality 40, of half the size, cut
by 5 and by 10 % of each side at a place drawn, brighter by 1.3, mirrored. A pair of an original and
what was made of it is to be found; a pair of one and what was made of another original is not.
Frames of a video half a second apart are to be found too; those 10 s apart or more are not.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tyro
from numpy.typing import NDArray

from viewfinder.datasets.similarity import difference_hashes
from viewfinder.features.describing import Part, describe
from viewfinder.pictures.finding import pictures_below
from viewfinder.pictures.reading import decode_picture, read_picture
from viewfinder.pictures.video import read_video
from viewfinder.pictures.writing import encode_picture, write_picture

Picture = NDArray[np.uint8]
BITS, LIKENESS = 3, (0.85, 0.90, 0.93, 0.95, 0.97)


@dataclass(frozen=True)
class Flags:
    blood: Path | None = None
    """A set whose pictures are all alike."""
    photos: Path | None = None
    """A set of pictures of several things."""
    video: Path | None = None
    count: int = 40
    """Pictures of each."""


def cut(picture: Picture, share: float, random: np.random.Generator) -> Picture:
    height, width = picture.shape[:2]
    tall, wide = round(height * (1 - share)), round(width * (1 - share))
    top, left = random.integers(0, height - tall + 1), random.integers(0, width - wide + 1)
    return picture[top : top + tall, left : left + wide]


def made(random: np.random.Generator) -> dict[str, Callable[[Picture], Picture]]:
    return {
        "saved again": lambda p: decode_picture(encode_picture(p, ".jpg", quality=40), name="it"),
        "half the size": lambda p: cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=3),
        "cut by 5 %": lambda p: cut(p, 0.05, random),
        "cut by 10 %": lambda p: cut(p, 0.10, random),
        "brighter": lambda p: np.clip(p * 1.3, 0, 255).astype(np.uint8),
        "mirrored": lambda p: np.ascontiguousarray(p[:, ::-1]),
    }


def told(pictures: list[Picture]) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    """Hashes and vectors, and what they cost."""
    begun = time.process_time()
    hashes = np.array([difference_hashes(each) for each in pictures], np.uint64)
    hashed = time.process_time() - begun
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, f"{number:05}.png") for number in range(len(pictures))]
        for file, picture in zip(files, pictures, strict=True):
            write_picture(file, picture)
        begun = time.process_time()
        vectors = describe([Part(file) for file in files])
        spent = time.process_time() - begun
    each = 1000 / len(pictures)
    print(f"  CPU a picture: hash {hashed * each:.1f} ms, vector {spent * each:.1f} ms")
    return hashes, vectors


def apart_by(some: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Bits between pictures, N×2 hashes each, one of two mirrored or not."""
    return np.bitwise_count(some[:, 0][:, None, None] ^ others[None]).min(axis=2)


def told_of(
    name: str, bits: NDArray[np.uint8], likeness: NDArray[np.float32], same: NDArray[np.bool_]
) -> None:
    """Share of the pairs found, and of those found that are right, by either."""

    def row(found: NDArray[np.bool_]) -> str:
        right = int((found & same).sum())
        return f"{right / same.sum():5.2f} {right / max(1, int(found.sum())):5.2f}"

    rows = "   ".join(row(likeness >= least) for least in LIKENESS)
    print(f"  {name:14s} {row(bits <= BITS)}   {rows}", flush=True)


def of_set(folder: Path, count: int) -> None:
    random = np.random.default_rng(0)
    paths = list(pictures_below(folder))
    chosen = np.linspace(0, len(paths) - 1, count).round().astype(int)
    originals = [read_picture(folder / paths[number]) for number in chosen]
    kinds = made(random)
    pictures = [*originals, *(make(each) for make in kinds.values() for each in originals)]
    hashes, vectors = told(pictures)
    bits = apart_by(hashes[:count], hashes)
    likeness = vectors[:count] @ vectors.T
    for place, name in enumerate(kinds, 1):
        part = slice(place * count, (place + 1) * count)
        told_of(name, bits[:, part], likeness[:, part], np.eye(count, dtype=np.bool_))
    apart = likeness[:, :count][~np.eye(count, dtype=np.bool_)]
    print(f"  different pictures: likeness {np.median(apart):.2f}, at most {apart.max():.2f}")


def of_video(video: Path, count: int) -> None:
    frames = [frame for frame in read_video(video) if frame.index % 12 == 0][: 2 * count]
    hashes, vectors = told([frame.picture for frame in frames])
    place = np.arange(len(frames))
    gap = np.abs(place[:, None] - place[None])
    counted = (gap == 1) | (gap >= 20)
    bits = apart_by(hashes, hashes)[counted]
    told_of("next frame", bits, (vectors @ vectors.T)[counted], (gap == 1)[counted])


def main(flags: Flags) -> None:
    least = "   ".join(f"  at {value:.2f}  " for value in LIKENESS)
    print(f"share found, and share of these that is right: hashes within {BITS} bits; {least}")
    for folder in (flags.blood, flags.photos):
        if folder is not None:
            print(folder.name)
            of_set(folder, flags.count)
    if flags.video is not None:
        print(flags.video.name)
        of_video(flags.video, flags.count)


if __name__ == "__main__":
    main(tyro.cli(Flags))
