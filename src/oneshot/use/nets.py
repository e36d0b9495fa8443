"""The trained nets by name: what each makes of an image, ready for distances."""

import contextlib
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from oneshot.core import files, params
from oneshot.core.errors import UserError
from oneshot.core.params import Schema
from oneshot.datasets import cifar10
from oneshot.evaluation import transforms
from oneshot.splits.params import Classes, DigitParams
from oneshot.use import digits, photographs
from oneshot.use.mistakes import InputError

CONVNET = "6-class"
# Each net, and the command that trains it.
_COMMANDS = {
    CONVNET: "`make repro` (an hour on two cores)",
    "siamese-2d": "`dvc repro train_siamese@siamese-2d` (two minutes)",
    "siamese-3d": "`dvc repro train_siamese@siamese-3d` (two minutes)",
    "dense-all": "`dvc repro train_dense_embedding@dense-all` (two minutes)",
    "dense-seen": "`dvc repro train_dense_embedding@dense-seen` (two minutes)",
}
NAMES = tuple(_COMMANDS)
METHODS = tuple(transforms.METHODS | transforms.DIGIT_METHODS)
# Steps that need representations of classes that the net was trained on.
_OF_SEEN = {"centre", "standardise", "whiten"}
_NONE = {layer: np.empty((2, 0, 1), np.float32) for layer in ("units", "linear", "pooled")}, np.empty(0, np.uint8)


class _Cifar10Params(Schema):
    seen_classes: Classes


class _Params(Schema):
    """What of params.yaml says how the nets are built."""

    cifar10: _Cifar10Params
    mnist: DigitParams


@dataclass(frozen=True)
class Net:
    """A trained net and a transform of what it makes of images.

    prepare: one image (height, width, 3) uint8 -> the net's input; raises InputError; embed: inputs (n, ...) -> by
    layer (1, n, d) float32, or (2, n, d) with mirror images second if the method averages over them; seen, seen_labels:
    the same of m images of the classes that the net was trained on, m = 0 if the method needs none; hash: of the
    weights.
    """

    name: str
    method: str
    prepare: Callable[[np.ndarray], np.ndarray]
    embed: Callable[[np.ndarray], transforms.Layers]
    seen: transforms.Layers
    seen_labels: np.ndarray
    hash: str

    def represent(self, inputs: np.ndarray) -> np.ndarray:
        """Represent prepared images: (n, ...) -> (n, d) float32. Raises UserError if the net gives no numbers."""
        # One progress bar is enough: the one over the files.
        with contextlib.redirect_stderr(io.StringIO()):
            layers = self.embed(inputs)
        vectors = transforms.represent(self.method, layers, self.seen, self.seen_labels)
        if not np.isfinite(vectors).all():
            raise UserError(f"the {self.name} net gives no numbers: lower its learning rate and train it again")
        return vectors


def default_method(name: str) -> str:
    """The method where none is named: `both_whitened` for the ConvNet, and `raw` for the digit nets.

    On held-out classes both_whitened was the best for one view (choice.csv); averages over mirror images were
    better still, but cannot tell left from right. With `raw` a clone can use the digit nets at once; `maps_whitened` is
    better, but needs features that only the pipeline makes.
    """
    return "both_whitened" if name == CONVNET else "raw"


def check(name: str, method: str | None) -> str:
    """The method that is meant; raises InputError if there is no such net or method, or the two do not go together."""
    if name not in NAMES:
        raise InputError(f"net must be one of {', '.join(NAMES)}, but is {name!r}")
    method = default_method(name) if method is None else method
    if method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}, but is {method!r}")
    known = transforms.METHODS if name == CONVNET else transforms.DIGIT_METHODS
    if method not in known:
        others = "digit nets" if name == CONVNET else f"{CONVNET} net"
        raise InputError(f"method {method} is for the {others}: the net {name} goes with {', '.join(known)}")
    return method


def load(name: str, method: str | None = None, root: str | Path = ".") -> Net:
    """Load a net that the pipeline in the folder `root` has trained; once, and again only if its files change.

    Of a digit net without weights in models/, the exported one is taken, which is in Git and so in every clone.

    name: of NAMES; method: of METHODS, by default that of `default_method`. Raises InputError as `check` does, and
    UserError naming the command to run if the weights, or the features that the method needs, are not there.
    """
    method = check(name, method)
    root = Path(root)
    weights = _file(name, root)
    if not (root / "params.yaml").is_file():
        where = "run from the project's root" if root == Path() else "it is not the project's root"
        raise UserError(f"{root / 'params.yaml'} is missing: {where}")
    if not weights.is_file():
        raise UserError(f"{weights} is missing: run {_COMMANDS[name]}, or `dvc pull` if a remote has it")
    read = [weights, root / "params.yaml", *sorted((root / f"features/{name}").glob("*.npy"))]
    stamp = tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in read)
    return _load(name, method, root, root.resolve(), stamp)


@lru_cache(maxsize=4)
def _load(name: str, method: str, root: Path, _place: Path, _stamp: tuple) -> Net:
    chosen = params.validate(params.read(root), _Params)
    weights = _file(name, root)
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if name == CONVNET:
        seen, labels = _seen(root, method)
        embed = _convnet(weights, len(chosen.cifar10.seen_classes), transforms.METHODS[method].mirror)
        return Net(name, method, photographs.prepare, embed, seen, labels, found)
    classes = len(chosen.mnist.seen_digits)
    if name == "dense-all":
        classes += len(chosen.mnist.unseen_digits)
    seen, labels = _seen_maps(root, name) if method == "maps_whitened" else _NONE
    read = _digit_net(name, weights, classes, method)
    (layer,) = transforms.DIGIT_METHODS[method].layers
    return Net(name, method, digits.prepare, lambda inputs: {layer: read(inputs)[None]}, seen, labels, found)


def _seen(root: Path, method: str) -> tuple[transforms.Layers, np.ndarray]:
    """The ConvNet's features of the classes that it was trained on, with their labels, if the method needs them."""
    if not _OF_SEEN & set(transforms.METHODS[method].steps):
        return _NONE
    folder = root / f"features/{CONVNET}"
    if not folder.is_dir():
        raise UserError(
            f"{folder} is missing, and only the methods raw, unit, power and mirror work without it: run `make repro`,"
            " or `dvc pull` if a remote has it"
        )
    data = files.read_arrays(folder)
    # The stage stores training images of the classes that the net has seen, and of the others all, test images among
    # them. params.yaml may name other classes by now.
    unseen = data["labels"][data["indices"] >= cifar10.TRAINING]
    seen = ~np.isin(data["labels"], unseen)
    return transforms.layers_of(data, seen), data["labels"][seen]


def _seen_maps(root: Path, name: str) -> tuple[transforms.Layers, np.ndarray]:
    """The last maps of images of the digits that a net was trained on, with their labels."""
    folder = root / f"features/{name}"
    if not (folder / "seen_maps.npy").is_file():
        raise UserError(
            f"{folder / 'seen_maps.npy'} is missing, which the method maps_whitened needs: run {_COMMANDS[name]},"
            " or `dvc pull` if a remote has it"
        )
    return {"maps": files.read_array(folder / "seen_maps.npy")[None]}, files.read_array(folder / "seen_labels.npy")


def _file(name: str, root: Path) -> Path:
    """The file of a net: the weights that the pipeline trained, or a digit net's export if there are none."""
    weights, export = root / f"models/{name}.weights.h5", root / f"exports/{name}/{name}.keras"
    return export if name != CONVNET and export.is_file() and not weights.is_file() else weights


def _convnet(weights: Path, classes: int, mirror: bool) -> Callable[[np.ndarray], transforms.Layers]:
    from oneshot.convnet import inference, net

    model = net.build(classes)
    files.read_weights(weights, model)
    read = inference.layer_reader(inference.accelerate(model, "auto"))

    def embed(inputs):
        views = [inputs, inputs[:, :, ::-1]] if mirror else [inputs]
        return transforms.stacked([read(view) for view in views])

    return embed


def _digit_net(name: str, weights: Path, classes: int, method: str) -> Callable[[np.ndarray], np.ndarray]:
    """What a method takes of a digit net: its embedding, or its last maps."""
    from oneshot.dense_embedding import net as dense
    from oneshot.siamese import net as siamese
    from oneshot.training.maps import last_maps
    from oneshot.training.prediction import embedder

    if weights.suffix == ".keras":
        model = _exported(weights)
    else:
        dimensions = {"siamese-2d": 2, "siamese-3d": 3}.get(name)
        model = siamese.build(dimensions, dropout=0.0) if dimensions else dense.build(classes)
        files.read_weights(weights, model)
    if method == "maps_whitened":
        return embedder(last_maps(model))
    # Of a siamese net and of an exported one this is the whole net.
    return embedder(dense.embedding(model))


def _exported(path: Path):
    """A digit net from its .keras file, without the layer that scales pixels: drawings are from 0 to 1 already.

    Raises UserError if Keras cannot load it.
    """
    from oneshot.training.tensorflow import keras

    try:
        model: keras.Sequential = keras.models.load_model(path, compile=False)  # pyright: ignore[reportAssignmentType]
        # New layers: those of the file are bound to its own input, so the net could not be cut.
        layers = [type(layer).from_config(layer.get_config()) for layer in model.layers[1:]]
        net = keras.Sequential([keras.Input((digits.SIDE, digits.SIDE, 1)), *layers])
        net.set_weights(model.get_weights())
        return net
    except Exception as error:  # whatever ZIP, HDF5 and Keras raise on a damaged file
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} is no net that Keras can load ({reason}): run git checkout {path}") from None
