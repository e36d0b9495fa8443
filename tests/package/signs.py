"""The drawings of docs/use.md: four signs in black on white, and eight of them again on shaded, grainy paper."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

# Strokes as lines through points, in a square of side 1.
SIGNS = {
    "arrow": [[(0.1, 0.5), (0.9, 0.5)], [(0.6, 0.2), (0.9, 0.5), (0.6, 0.8)]],
    "cross": [[(0.15, 0.15), (0.85, 0.85)], [(0.85, 0.15), (0.15, 0.85)]],
    "ring": [[(0.5 + 0.38 * np.cos(turn), 0.5 + 0.38 * np.sin(turn)) for turn in np.linspace(0, 2 * np.pi, 40)]],
    "triangle": [[(0.5, 0.12), (0.9, 0.85), (0.1, 0.85), (0.5, 0.12), (0.9, 0.85)]],
}


def draw(name: str, random: np.random.Generator, *, size: int, wobble: float, paper: bool) -> Image.Image:
    """Draw a sign. size: of the picture in pixels; wobble: deviation of each point; paper: with shade and grain."""
    picture = Image.new("L", (size, size), 255)
    for stroke in SIGNS[name]:
        points = (0.15 + 0.7 * np.array(stroke) + random.normal(0, wobble, (len(stroke), 2))) * size
        ImageDraw.Draw(picture).line([tuple(point) for point in points], fill=20, width=size // 18, joint="curve")
    if not paper:
        return picture
    shaded = np.asarray(picture) * np.linspace(1, 0.75, size)[:, None] + random.normal(0, 8, (size, size))
    return Image.fromarray(np.clip(shaded, 0, 255).astype(np.uint8))


def write(folder: Path) -> None:
    """Write signs/NAME.png and new/NAME NUMBER.jpg."""
    random = np.random.default_rng(1)
    for place in ("signs", "new"):
        (folder / place).mkdir(parents=True)
    for name in SIGNS:
        draw(name, random, size=120, wobble=0, paper=False).save(folder / f"signs/{name}.png")
        for number, size in ((1, 300), (2, 200)):
            drawn = draw(name, random, size=size, wobble=0.012, paper=True)
            drawn.save(folder / f"new/{name} {number}.jpg", quality=85)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
