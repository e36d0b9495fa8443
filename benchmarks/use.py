"""Time `oneshot classify` on drawings: from the start to the first label, and for many, with the peak of the memory."""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 120  # pixels


def draw(path: Path, random: np.random.Generator) -> None:
    """Write a drawing of a few strokes as PNG."""
    picture = Image.new("L", (SIDE, SIDE), 255)
    points = random.uniform(15, SIDE - 15, (5, 2))
    ImageDraw.Draw(picture).line([tuple(point) for point in points], fill=20, width=6, joint="curve")
    picture.save(path)


def seconds(examples: Path, images: Path) -> float:
    """Seconds that the command takes for the images of a folder."""
    words = ["classify", examples, images, "--encoder", "siamese-3d", "--csv", "-"]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "oneshot", *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print the seconds of both, and the memory of the larger."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawings", type=int, default=5000, help="how many are classified; default: %(default)s")
    parser.add_argument("--turns", type=int, default=3, help="the best of so many starts; default: %(default)s")
    options = parser.parse_args()
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as scratch:
        examples, one, many = (Path(scratch, name) for name in ("examples", "one", "many"))
        for folder, count in ((examples, 4), (one, 1), (many, options.drawings)):
            folder.mkdir()
            for number in range(count):
                draw(folder / f"{number}.png", random)
        first = min(seconds(examples, one) for _ in range(options.turns))
        all_of_them = seconds(examples, many)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"oneshot classify: first label after {first:.1f} s; {options.drawings:,} drawings of {SIDE} x {SIDE} pixels")
    print(f"in {all_of_them:.1f} s, peak memory {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
