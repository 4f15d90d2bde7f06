"""How much memory decoding one picture takes, by kind of file, in bytes a pixel.

    python benchmarks/decoding_memory.py [MEGAPIXELS]

Each picture is decoded in a process of its own, which has decoded a small one of the same kind
before. What is told is how far its resident memory then rises at most, divided by the picture's
pixels: the file's bytes, the decoder's own memory and the finished H×W×3 together. Linux only: the
mark is the kernel's VmHWM, since the one of getrusage begins with that of the parent process.
"""

import io
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Make = Callable[[], bytes]

_DECODE = """
import sys
from pathlib import Path
from viewfinder.pictures.reading import read_picture

def largest():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

small, large = map(Path, sys.argv[1:])
read_picture(small)
Path("/proc/self/clear_refs").write_text("5")  # The high-water mark starts from now.
base = largest()
picture = read_picture(large)
print((largest() - base) / (picture.shape[0] * picture.shape[1]))
"""


def main() -> None:
    """Print a row for each kind."""
    megapixels = float(sys.argv[1]) if len(sys.argv) > 1 else 16
    side = round((megapixels * 1e6) ** 0.5)
    large, small = kinds(side), kinds(64)
    print(f"{side}×{side} pixels\n{'kind':<34}{'file':>7}{'peak':>7}  bytes a pixel")
    with tempfile.TemporaryDirectory() as folder:
        for kind, make in large.items():
            files = [Path(folder) / name for name in ("small", "large")]
            files[0].write_bytes(small[kind]())
            data = make()
            files[1].write_bytes(data)
            told = subprocess.run(
                [sys.executable, "-c", _DECODE, *map(str, files)],
                check=True,
                capture_output=True,
                text=True,
            )
            peak = float(told.stdout)
            print(f"{kind:<34}{len(data) / side**2:>7.2f}{peak:>7.2f}", flush=True)


def kinds(side: int) -> dict[str, Make]:
    """What makes the bytes of a file of each kind."""
    grey, alpha = scene(side, 0), scene(side, 3)
    colour = np.dstack([scene(side, channel) for channel in range(3)])
    rgb, mask = Image.fromarray(colour), Image.fromarray(alpha)
    rgba = Image.merge("RGBA", (*rgb.split(), mask))
    ink = rgb.convert("CMYK")
    deep = colour.astype(np.uint16) * 257
    deep_alpha = np.dstack([deep, alpha.astype(np.uint16) * 257])
    palette = rgb.quantize(200)
    tall = Image.Exif()
    tall[0x0112] = 6
    return {
        "JPEG, grey": saved(Image.fromarray(grey), "JPEG"),
        "JPEG, RGB": saved(rgb, "JPEG"),
        "JPEG, RGB, turned": saved(rgb, "JPEG", exif=tall),
        "JPEG, RGB, progressive, 4:4:4": saved(rgb, "JPEG", progressive=True, subsampling=0),
        "JPEG, CMYK": saved(ink, "JPEG"),
        "JPEG, CMYK, progressive": saved(ink, "JPEG", progressive=True),
        "PNG, 1 bit": saved(Image.fromarray(grey > 99), "PNG"),
        "PNG, grey": saved(Image.fromarray(grey), "PNG"),
        "PNG, grey and alpha": saved(Image.merge("LA", (Image.fromarray(grey), mask)), "PNG"),
        "PNG, palette": saved(palette, "PNG"),
        "PNG, palette, transparent": saved(palette, "PNG", transparency=bytes(range(200))),
        "PNG, RGB": saved(rgb, "PNG"),
        "PNG, RGB, one colour transparent": saved(rgb, "PNG", transparency=(1, 2, 3)),
        "PNG, RGBA": saved(rgba, "PNG"),
        "PNG, RGBA, turned": saved(rgba, "PNG", exif=tall),
        "PNG, 16-bit grey": encoded(".png", deep[..., 0]),
        "PNG, 16-bit RGB": encoded(".png", deep),
        "PNG, 16-bit RGBA": encoded(".png", deep_alpha),
        "TIFF, grey": saved(Image.fromarray(grey), "TIFF"),
        "TIFF, RGB": saved(rgb, "TIFF"),
        "TIFF, RGB, LZW": saved(rgb, "TIFF", compression="tiff_lzw"),
        "TIFF, RGBA": saved(rgba, "TIFF"),
        "TIFF, CMYK": saved(ink, "TIFF"),
        "TIFF, 16-bit grey": saved(Image.fromarray(deep[..., 0]), "TIFF"),
        "TIFF, 16-bit RGB": encoded(".tiff", deep),
        "TIFF, 16-bit RGBA": encoded(".tiff", deep_alpha),
        "WebP, RGB": saved(rgb, "WEBP", method=0),
        "WebP, RGB, lossless": saved(rgb, "WEBP", lossless=True, method=0, quality=0),
        "WebP, RGBA": saved(rgba, "WEBP", method=0),
        "GIF": saved(palette, "GIF"),
        "GIF, transparent": saved(palette, "GIF", transparency=3),
        "BMP": saved(rgb, "BMP"),
        "PPM": saved(rgb, "PPM"),
        "PGM, 16-bit": saved(Image.fromarray(deep[..., 0]), "PPM"),
        "AVIF, RGB": saved(rgb, "AVIF", speed=10),
        "AVIF, RGBA": saved(rgba, "AVIF", speed=10),
    }


def scene(side: int, channel: int) -> NDArray[np.uint8]:
    """Smooth with a little noise, as photographs are."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    waves = 100 + 90 * np.sin(5 * x + channel) * np.cos(4 * y - channel)
    noise = np.random.default_rng(channel).integers(0, 8, (side, side))
    return (waves + noise).astype(np.uint8)


def saved(image: Image.Image, format: str, **options: object) -> Make:
    """A file by Pillow."""

    def make() -> bytes:
        file = io.BytesIO()
        image.save(file, format, **options)
        return file.getvalue()

    return make


def encoded(suffix: str, pixels: NDArray[np.uint16]) -> Make:
    """A file by OpenCV, which writes 16 bits of colour."""
    return lambda: cv2.imencode(suffix, pixels)[1].tobytes()


if __name__ == "__main__":
    main()
