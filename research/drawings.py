"""Drawings that nobody here made: digits and letters in handwriting fonts of Debian, and scikit-learn's scanned digits.

Each set is classified from 1, 5 and 10 examples of each class, by plain pixels and by each digit net's features: its
embedding (raw), its last maps at unit length (maps_unit), and those whitened (maps_whitened). All features get the same
images, prepared as `python -m oneshot classify` prepares them, and the same episodes. Each set is tried as it is and as
photographed paper: noise of 8 levels of grey, and a shade to 75% from one side to the other.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import study
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_digits

from oneshot.core import files
from oneshot.core.errors import UserError
from oneshot.evaluation.few_shot import few_shot_accuracy
from oneshot.evaluation.transforms import transform_features
from oneshot.nets.table import NETS, SIAMESE
from oneshot.use import digits

SHOTS, EPISODES, SEED = (1, 5, 10), 2000, 1
# One file of each hand, by the Debian package that has it.
FONTS = files.read_json(study.ROOT / "research/fonts.json")
LETTERS = {
    "digits": "0123456789",
    "letters A-E": "ABCDE",
    "20 capitals": "ABCDEFGHIJKLMNOPQRST",
    "14 lower case": "abdefghjmnqrty",  # those unlike their capitals, without i and l, which many hands write as one
}
_HEIGHT, _SIDE = 80, 128  # of a letter's line, and of its image, in pixels


def measure() -> None:
    """Draw, classify, and write the table."""
    study.enter()
    sets = {name: from_fonts(letters, font_files()) for name, letters in LETTERS.items()}
    sets["scanned digits"] = scanned()
    rng, tables = np.random.default_rng(SEED), []
    for name, (images, labels) in sets.items():
        papers = {"clean": images, "photographed": [photographed(image, rng) for image in images]}
        for paper, drawn in papers.items():
            prepared = [digits.prepare(np.repeat(image[..., None], 3, 2)) for image in drawn]
            for features, vectors in represented(np.stack(prepared)).items():
                many = {"shots": SHOTS, "episodes": EPISODES, "seed": SEED, "purpose": name}
                found = few_shot_accuracy(vectors, labels, **many)
                tables.append(found.assign(set=name, paper=paper, features=features))
    table = pd.concat(tables)[["set", "paper", "features", "shots", "accuracy", "interval_95"]]
    study.write_table("drawings", table)


def font_files(root: str = "/usr/share/fonts") -> list[Path]:
    """The fonts' files. Raises UserError naming the packages that are missing."""
    missing = [name for name, paths in FONTS.items() if not all((Path(root) / path).is_file() for path in paths)]
    if missing:
        raise UserError(f"handwriting fonts are missing (Debian 12): apt install {' '.join(missing)}")
    return [Path(root) / path for paths in FONTS.values() for path in paths]


def from_fonts(letters: str, fonts: list[Path]) -> tuple[list[np.ndarray], np.ndarray]:
    """Each letter by each hand, black on white: images (128, 128) uint8, and labels (n,), places in `letters`."""
    images = []
    for letter in letters:
        for path in fonts:
            image = Image.new("L", (_SIDE, _SIDE), 255)
            font = ImageFont.truetype(path, _HEIGHT)
            ImageDraw.Draw(image).text((_SIDE / 2, _SIDE / 2), letter, 0, font, anchor="mm")
            images.append(np.asarray(image))
    return images, np.repeat(np.arange(len(letters)), len(fonts))


def scanned() -> tuple[list[np.ndarray], np.ndarray]:
    """scikit-learn's 1,797 digits of 8x8 pixels, as dark ink on sheets like the fonts': images uint8, labels (n,)."""
    data, labels = load_digits(return_X_y=True)
    images, margin = [], (_SIDE - _HEIGHT) // 2
    for digit in data.reshape(-1, 8, 8):
        ink = Image.fromarray((255 - digit * (255 / 16)).astype(np.uint8)).resize((_HEIGHT, _HEIGHT))
        images.append(np.pad(np.asarray(ink), margin, constant_values=255))
    return images, np.asarray(labels)


def photographed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same as a photograph of paper: (height, width) uint8, shaded to 75% in some direction, and with noise."""
    rows, columns = (np.linspace(-1, 1, side) for side in image.shape)
    angle = rng.uniform(0, 2 * np.pi)
    along = np.sin(angle) * rows[:, None] + np.cos(angle) * columns
    shade = 1 - 0.25 * (along - along.min()) / np.ptp(along)
    return np.clip(image * shade + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8)


def represented(inputs: np.ndarray) -> dict[str, np.ndarray]:
    """The features of prepared drawings (n, 28, 28, 1) float32, by name: (n, d) float32."""
    from oneshot.siamese import net
    from oneshot.training.maps import last_maps
    from oneshot.training.prediction import embedder

    found = {"plain pixels": inputs.reshape(len(inputs), -1)}
    for name in SIAMESE:
        model = net.build(NETS[name].dimensions, dropout=0.0)
        files.read_weights(f"../models/{name}.weights.h5", model)
        seen = files.read_arrays(f"../features/{name}")
        maps = embedder(last_maps(model))(inputs)
        known = {"maps": seen["seen_maps"][None]}
        found[f"{name} raw"] = embedder(model)(inputs)
        found[f"{name} maps_unit"] = maps / np.linalg.norm(maps, axis=1, keepdims=True)
        found[f"{name} maps_whitened"] = transform_features(
            "maps_whitened", {"maps": maps[None]}, known, seen["seen_labels"]
        )
    return found


if __name__ == "__main__":
    study.main(__doc__, measure)
