"""From any image to the vector that distances are taken of: an encoder, a method, and how images are prepared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from oneshot.core.errors import shown
from oneshot.core.progress import progress
from oneshot.encoders import catalogue
from oneshot.encoders.encoder import Encoder
from oneshot.evaluation import calibration
from oneshot.evaluation.methods import LEARNED, TRANSFORMS
from oneshot.use import digits, photographs
from oneshot.use.mistakes import InputError
from oneshot.use.reading import Source, read

if TYPE_CHECKING:
    from oneshot.evaluation.transforms import FeatureTransform

# Images of an encoder that are held at one time, prepared; those of a callable are held as they are.
_BATCH, _BATCH_WHOLE = 1024, 64
# A progress bar for fewer would be gone at once.
_MANY = 50

# Images (height, width, 3) uint8 -> (n, d) float.
EncodeFunction = Callable[[list[np.ndarray]], np.ndarray]
AnyEncoder = str | Path | Encoder | EncodeFunction


@dataclass(frozen=True)
class Representation:
    """What makes vectors of images.

    name: of the encoder; method: how its output is transformed; prepare: one image (height, width, 3) uint8 -> what
    `encode` takes, raises InputError; encode: prepared images -> (n, d) float; batch: images that are encoded at once;
    transform: applied to the vectors, fitted; temperature: of calibration.probabilities, None if unknown; digest: of
    the encoder's file, "" for a callable; instead_of: the encoder's own default method, if a background replaced it.
    """

    name: str
    method: str
    prepare: Callable[[np.ndarray], np.ndarray]
    encode: Callable[[list[np.ndarray]], np.ndarray]
    batch: int = _BATCH
    transform: "FeatureTransform | None" = None
    temperature: calibration.Temperature | None = None
    digest: str = ""
    instead_of: str = ""

    def __call__(self, sources: Sequence[Source], broken: dict[int, str] | None = None) -> np.ndarray:
        """Represent images, under a progress bar if they are many: (n, d) float64.

        sources: files, PIL images or arrays, see `reading.read`. All are looked at before an error is raised:
        InputError names the first that cannot be used, and how many there are. With `broken`, a dict to be filled with
        a sentence by position, an image that cannot be used is a row of nan instead, unless none can be used.
        """
        errors: dict[int, str] = {}
        places, vectors, ahead = [], [], []
        numbered = progress(
            enumerate(sources),
            total=len(sources),
            desc="reading",
            unit="image",
            disable=None if _shows(sources) else True,
        )
        for number, source in numbered:
            name = shown(source) if isinstance(source, (str, Path)) else f"image {number} of those given"
            try:
                ahead.append(self._prepared(source, name))
                places.append(number)
            except InputError as error:
                errors[number] = str(error)
            if len(ahead) == self.batch:
                vectors.append(self._encoded(ahead))
                ahead.clear()
        if errors and (broken is None or not places):
            more = (
                f" (and {len(errors) - 1:,} more of {len(sources):,} images cannot be used)" if len(errors) > 1 else ""
            )
            raise InputError(next(iter(errors.values())) + more)
        if ahead:
            vectors.append(self._encoded(ahead))
        made = np.concatenate(vectors)
        found = np.full((len(sources), made.shape[1]), np.nan)
        found[places] = made
        if broken is not None:
            broken |= errors
        return found

    def _encoded(self, prepared: list[np.ndarray]) -> np.ndarray:
        vectors = np.asarray(self.encode(prepared))
        if vectors.ndim != 2 or len(vectors) != len(prepared):
            raise InputError(
                f"the encoder {self.name} made an array of shape {vectors.shape} of {len(prepared)} images: it has to"
                " give one vector each, (n, d)"
            )
        return vectors if self.transform is None else self.transform.transform(vectors)

    def _prepared(self, source: Source, name: str) -> np.ndarray:
        image = read(source, name)
        try:
            return self.prepare(image)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None


def make(encoder: AnyEncoder, method: str | None = None, background=None) -> Representation:
    """Choose how images become vectors.

    encoder: a name of nets.table.NETS, an ONNX file, an Encoder, or a callable: list of images (height, width, 3) uint8
    -> (n, d); method: a name of the encoder's own methods, by default its best, or of methods.TRANSFORMS for one that
    has none of its own (by default "unit"); background: images of other classes, as a sequence or as (images, classes),
    from which centring and whitening are learned (by default "whitened" with classes, else "cl2n").

    Raises UserError if there is no such encoder, and InputError if the method does not go with it.
    """
    if isinstance(encoder, (str, Path)):
        path = catalogue.find(encoder)
        encoder = _loaded(path, path.stat().st_mtime_ns, path.stat().st_size)
    if not isinstance(encoder, Encoder) and not callable(encoder):
        raise InputError(f"encoder must be a name, a file or a callable, but is of type {type(encoder).__name__}")
    if isinstance(encoder, Encoder) and encoder.about and background is None:
        chosen = method or encoder.methods[0]
        if chosen not in encoder.methods:
            raise InputError(
                f"method must be one of {', '.join(encoder.methods)} with the encoder {encoder.name}, but is {chosen!r}"
            )
        return _plain(encoder, chosen, chosen)
    # What a method of ours starts from: the project's own encoders name it raw, others have one output.
    output = encoder.methods[0] if isinstance(encoder, Encoder) and not encoder.about else "raw"
    plain = _plain(encoder, output, "raw")
    images, labels = background if isinstance(background, tuple) else (background, None)
    default = "unit" if images is None else "cl2n" if labels is None else "whitened"
    instead_of = encoder.methods[0] if isinstance(encoder, Encoder) and encoder.about and not method else ""
    method = method or default
    if method not in TRANSFORMS:
        raise InputError(f"method must be one of {', '.join(TRANSFORMS)} here, but is {method!r}")
    steps = set(TRANSFORMS[method])
    if images is None and LEARNED & steps:
        raise InputError(f"the method {method} learns from images of other classes: give a background of some")
    if labels is None and "whiten" in steps:
        raise InputError(f"the method {method} needs the classes of the background: a folder of images per class")
    # It brings scikit-learn, which takes most of a second to import.
    from oneshot.evaluation.transforms import FeatureTransform

    if images is None:
        known, transform = None, FeatureTransform(method).fit(np.zeros((1, plain(_ANY).shape[1])))
    else:
        known = plain(images)
        transform = FeatureTransform(method).fit(known, labels)
    return Representation(
        plain.name, method, plain.prepare, plain.encode, plain.batch, transform, _temperature(method, known, labels),
        plain.digest, instead_of,
    )  # fmt: skip


# An image of nothing in particular, to learn how many numbers an encoder gives.
_ANY = [np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)]


@lru_cache(maxsize=4)
def _loaded(path: Path, _time: int, _size: int) -> Encoder:
    return Encoder(path)


def _plain(encoder: Encoder | EncodeFunction, output: str, method: str) -> Representation:
    """What an encoder itself gives."""
    if not isinstance(encoder, Encoder):
        name = getattr(encoder, "__name__", type(encoder).__name__)
        return Representation(name, method, lambda image: image, encoder, _BATCH_WHOLE)
    height, width = encoder.size
    grey = encoder.input.channels == 1

    def prepare(image: np.ndarray) -> np.ndarray:
        if encoder.kind == "drawing":
            return np.rint(255 * digits.prepare(image)).astype(np.uint8)
        return photographs.prepare(image, height, width, grey=grey)

    def encode(prepared: list[np.ndarray]) -> np.ndarray:
        return encoder.encode(np.stack(prepared), output)

    known = encoder.temperature(output)
    temperature = None if known is None else calibration.Temperature(*known)
    return Representation(encoder.name, method, prepare, encode, _BATCH, None, temperature, encoder.digest)


def _temperature(method: str, known: np.ndarray | None, labels) -> calibration.Temperature | None:
    """Chosen on the vectors of a background, if it has classes of two images or more."""
    if known is None or labels is None:
        return None
    labels = np.asarray(labels)
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2 or counts.min() < 2:
        return None
    from oneshot.evaluation.transforms import FeatureTransform

    def held_out(held: np.ndarray, others: np.ndarray) -> np.ndarray:
        return FeatureTransform(method).fit(known[others], labels[others]).transform(known[held])

    return calibration.choose_temperature(held_out, labels, seed=1)


def _shows(sources: Sequence) -> bool:
    """Many images are worth a bar; with None, tqdm shows it on a terminal alone."""
    return len(sources) >= _MANY
