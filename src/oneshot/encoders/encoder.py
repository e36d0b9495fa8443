"""Running an encoder: an ONNX file of this project or of anybody, by onnxruntime, on batches of prepared images."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from oneshot.core import processor
from oneshot.core.errors import UserError

# onnxruntime reports its use to its maker and keeps a device's number in the home folder, unless this is set before it
# is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

# Images that go through a net at once; its maps take some 100 MB.
_BATCH = 64
_LARGEST = 4096  # pixels of a side
_TYPES = {
    "tensor(uint8)": np.uint8,
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
}
# Mean and deviation of the channels of pixels from 0 to 1, as the usual nets of torchvision and of CLIP take them.
PREPROCESS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "none": ((0.0,) * 3, (1.0,) * 3),
}


class Input(NamedTuple):
    """What a graph takes: its input's name, dtype, order ("NHWC" or "NCHW"), and sizes; None: any."""

    name: str
    dtype: type
    order: str
    batch: int | None
    height: int | None
    width: int | None
    channels: int


class Encoder:
    """An ONNX file that makes vectors of images.

    path: the file; size: side of the images in pixels, where the graph leaves it open; preprocess: a name of
    PREPROCESS, or (mean, deviation) of pixels from 0 to 1, which a graph that takes floats needs; output: the name of
    the output to take, where there are several.

    A file of this project says the rest itself: `about`, its metadata (name, kind, methods, ...), else empty. methods:
    names of the outputs that are offered, the first the default. kind: "photograph" or "drawing", how images are
    prepared. Raises UserError if the file cannot be used, in one sentence that says what would help.

    Objects may be used by several threads, pickled, and used after a fork.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        size: int | None = None,
        preprocess: str | tuple[Sequence[float], Sequence[float]] | None = None,
        output: str | None = None,
    ):
        self.path = Path(path)
        if size is not None and not 1 <= size <= _LARGEST:
            raise UserError(f"the size of images must be from 1 to {_LARGEST} pixels, but is {size}")
        self._sessions: dict[int, onnxruntime.InferenceSession] = {}
        session = self._session()
        self.about: Mapping = _about(session.get_modelmeta().custom_metadata_map, self.path)
        self.input = _input(session, self.path)
        height, width = self.input.height or size, self.input.width or size
        if height is None or width is None:
            raise UserError(f"{path} takes images of any size: say which side, in pixels (--size)")
        if size is not None and size not in (height, width):
            raise UserError(f"{path} takes images of {height} x {width} pixels: leave out --size {size}")
        self.size = height, width
        if self.about and output is not None:
            raise UserError(f"{path} has a method for each output: choose by --method, not --output")
        if self.about:
            self.methods: tuple[str, ...] = tuple(self.about["methods"])
            default = self.about["default_method"]
            self.methods = (default, *(name for name in self.methods if name != default))
        else:
            self.methods = (_output(session, self.path, output),)
        self._scaling = None if self.input.dtype == np.uint8 else _scaling(preprocess, self.path, self.input.channels)
        if self._scaling is None and preprocess not in (None, "none"):
            raise UserError(f"{path} takes pixels from 0 to 255: leave out the preprocessing")

    @property
    def name(self) -> str:
        return self.about.get("name", self.path.stem)

    @property
    def kind(self) -> str:
        return self.about.get("kind", "photograph")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file and its weights."""
        found = hashlib.sha256()
        for path in parts(self.path):
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    found.update(block)
        return found.hexdigest()

    def temperature(self, method: str) -> tuple[float, float] | None:
        """The numbers of calibration.Temperature for the distances of a method; None if the file has none."""
        found = self.about.get("temperatures", {}).get(method)
        return None if found is None else tuple(found)

    def encode(self, images: np.ndarray, method: str | None = None) -> np.ndarray:
        """The vectors of images (n, height, width, channels) uint8: (n, d) float32.

        method: of `methods`. Raises UserError if the graph fails or gives no numbers.
        """
        session, name = self._session(), method or self.methods[0]
        vectors, step = [], self.input.batch or _BATCH
        for start in range(0, len(images), step):
            batch = self._scaled(images[start : start + step])
            count = len(batch)
            if self.input.batch:
                batch = np.concatenate([batch, np.zeros((step - count, *batch.shape[1:]), batch.dtype)])
            try:
                (found,) = session.run([name], {self.input.name: batch})
            except Exception as error:  # whatever onnxruntime raises
                raise UserError(f"{self.path} cannot be run ({_reason(error)}): give another file or --size") from None
            found = np.asarray(found, np.float32)
            if not found.ndim or len(found) != len(batch):
                given = f"{list(found.shape)} for {len(batch)} images"
                raise UserError(f"{self.path} gives {given}: an encoder gives one vector per image")
            vectors.append(found[:count].reshape(count, -1))
        made = np.concatenate(vectors)
        if not np.isfinite(made).all():
            raise UserError(f"{self.path} gives no numbers for some images: take another file, or train the net again")
        return made

    @classmethod
    def describe(cls, path: str | Path) -> dict:
        """What a file wants and gives, for `oneshot inspect`, also where it leaves open what `Encoder` has to know."""
        found = cls.__new__(cls)
        found.path, found._sessions = Path(path), {}
        session = found._session()
        about, given = _about(session.get_modelmeta().custom_metadata_map, found.path), _input(session, found.path)
        size = " x ".join(str(side or "any (--size)") for side in (given.height, given.width, given.channels))
        wants = (
            f"{given.name}: {size} {np.dtype(given.dtype).name}, {given.order}, {given.batch or 'any number'} at a time"
        )
        if given.dtype != np.uint8:
            wants += "; scaled as --preprocess, or --mean and --std, say"
        outputs = [f"{end.name} {list(end.shape)}" for end in session.get_outputs()]
        return {"file": found.path.name, "input": wants, "outputs": outputs, "sha256": found.digest, **about}

    def _scaled(self, images: np.ndarray) -> np.ndarray:
        if self._scaling is not None:
            mean, deviation = self._scaling
            images = (images / np.float32(255) - mean) / deviation
        if self.input.order == "NCHW":
            images = images.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(images, dtype=self.input.dtype)

    def _session(self) -> onnxruntime.InferenceSession:
        """The session of this process: after a fork, the threads of the parent's are gone."""
        process = os.getpid()
        if process not in self._sessions:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            # Left to onnxruntime, it would be a thread per core, whatever a container or compute.threads allows.
            options.intra_op_num_threads = processor.threads()
            try:
                self._sessions[process] = onnxruntime.InferenceSession(
                    self.path, options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:
                raise UserError(f"{self.path} is no ONNX file that onnxruntime can load ({_reason(error)})") from None
        return self._sessions[process]

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_sessions": {}}


def parts(path: Path) -> list[Path]:
    """The files of an encoder: the ONNX file, and what its weights may be in: NAME.onnx.data, NAME.onnx_data."""
    beside = (path.with_name(f"{path.name}{ending}") for ending in (".data", "_data"))
    return [path, *(part for part in beside if part.is_file())]


def _input(session: onnxruntime.InferenceSession, path: Path) -> Input:
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = ", ".join(end.name for end in inputs)
        raise UserError(f"{path} takes {len(inputs)} inputs ({names}): an encoder takes images alone")
    (end,) = inputs
    if end.type not in _TYPES:
        raise UserError(f"{path} takes {end.type}: an encoder takes images of uint8 or floats")
    # A size that is free is a name, or None.
    sizes = [size if isinstance(size, int) and size > 0 else None for size in end.shape]
    if len(sizes) != 4:
        raise UserError(f"{path} takes {len(sizes)} axes, {list(end.shape)}: an encoder takes images, which have four")
    # One colour or three; where both could be meant, (n, 3, height, width) is the usual order.
    if sizes[1] in (1, 3):
        order, (batch, channels, height, width) = "NCHW", sizes
    elif sizes[3] in (1, 3):
        order, (batch, height, width, channels) = "NHWC", sizes
    else:
        raise UserError(f"{path} takes {list(end.shape)}: no axis has one or three channels, as images do")
    assert channels is not None
    return Input(end.name, _TYPES[end.type], order, batch, height, width, channels)


def _output(session: onnxruntime.InferenceSession, path: Path, wanted: str | None) -> str:
    ends = {end.name: list(end.shape) for end in session.get_outputs()}
    listed = ", ".join(f"{name} {shape}" for name, shape in ends.items())
    if wanted is None and len(ends) > 1:
        raise UserError(f"{path} has several outputs ({listed}): choose one (--output NAME)")
    name = wanted or next(iter(ends))
    if name not in ends:
        raise UserError(f"{path} has no output {name}: it has {listed}")
    shape = ends[name]
    if len(shape) != 2 and not (len(shape) > 2 and all(size == 1 for size in shape[2:])):
        raise UserError(
            f"the output {name} of {path} has the shape {shape}: an encoder gives one vector per image, [n, d]"
            f" ({listed})"
        )
    return name


def _scaling(preprocess, path: Path, channels: int) -> tuple[np.ndarray, np.ndarray]:
    if preprocess is None:
        raise UserError(
            f"{path} takes floats: say how pixels are scaled, --preprocess {', '.join(PREPROCESS)} (0 to 1),"
            " or --mean and --std"
        )
    if isinstance(preprocess, str) and preprocess not in PREPROCESS:
        raise UserError(f"preprocess must be one of {', '.join(PREPROCESS)}, but is {preprocess!r}")
    pair = PREPROCESS[preprocess] if isinstance(preprocess, str) else preprocess
    mean, deviation = (np.asarray(values, np.float32) for values in pair)
    for values in (mean, deviation):
        if values.shape not in ((1,), (3,)):
            raise UserError(f"mean and std have one number or three, one per channel, not {values.size}")
    if not (deviation > 0).all():
        raise UserError("std must be above 0")
    if channels == 1:
        mean, deviation = mean.mean(keepdims=True), deviation.mean(keepdims=True)
    return mean, deviation


def _about(found: Mapping[str, str], path: Path) -> dict:
    """The metadata of a file of this project, parsed; {} for others. Raises UserError if they are damaged."""
    if "oneshot" not in found:
        return {}
    about = {key: _parsed(value) for key, value in found.items()}
    methods, temperatures = about.get("methods"), about.get("temperatures", {})
    if (
        not isinstance(methods, list)
        or about.get("default_method") not in methods
        or not isinstance(temperatures, dict)
        or not all(map(_is_temperature, temperatures.values()))
        or not all(isinstance(about.get(key, ""), str) for key in ("name", "kind"))
    ):
        raise UserError(f"{path} has damaged metadata: make it again by dvc repro, or fetch it again")
    return about


def _is_temperature(value) -> bool:
    """Whether a value of the metadata can be those of calibration.Temperature."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(part, float | int) and 0 < part < np.inf for part in value)
    )


def _parsed(value: str):
    try:
        return json.loads(value)
    except ValueError:
        return value


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
