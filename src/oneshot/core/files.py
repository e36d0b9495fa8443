"""Reading and writing files: each is written completely or not at all, with the same bytes each time."""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from oneshot.core.errors import UserError

_MISSING = "run dvc repro, or dvc pull if a remote has it"
_MADE_BY = "net.sha256"


def write_bytes(path: str | Path, content: bytes | memoryview) -> None:
    """Write a file atomically: a temporary file beside it, synced, then renamed over it.

    Raises OSError if there is no space or no permission; an old file then stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp creates private files, but results get the permissions of any other file that the user creates.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise


def read_bytes(path: str | Path, size: int) -> bytes:
    """Read a file that must have exactly `size` bytes; raises UserError if it is missing or has another size."""
    path = Path(path)
    # The size is checked before a byte is read, so that no file, however large, fills the memory.
    if not path.is_file():
        raise UserError(f"{path} is missing: {_MISSING}")
    found = path.stat().st_size
    if found != size:
        raise UserError(f"{path} has {found} bytes instead of {size}: delete it and run dvc repro")
    return path.read_bytes()


def write_array(path: str | Path, array: np.ndarray) -> None:
    """Write an array of numbers as .npy."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def read_array(path: str | Path) -> np.ndarray:
    """Read a .npy array; raises UserError if the file is missing or is not a plain array (nothing is unpickled)."""
    try:
        return np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: {_MISSING}") from None
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever NumPy raises on a damaged header
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} is not a readable .npy array ({reason}): delete it and run dvc repro") from None


def write_arrays(folder: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a folder of arrays, one NAME.npy each."""
    for name, array in arrays.items():
        write_array(Path(folder) / f"{name}.npy", array)


def read_arrays(folder: str | Path) -> dict[str, np.ndarray]:
    """Read a folder that write_arrays wrote; raises UserError if it is missing or empty."""
    arrays = {path.stem: read_array(path) for path in visible(folder, "*.npy")}
    if not arrays:
        raise UserError(f"{folder} holds no .npy files: {_MISSING}")
    return arrays


def visible(folder: str | Path, pattern: str) -> list[Path]:
    """List the paths below a folder that match a pattern, in order, without hidden ones.

    Editors, notebooks and desktops leave such files: .#x.json, .ipynb_checkpoints/, .directory.
    """
    found = sorted(Path(folder).glob(pattern))
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def write_features(folder: str | Path, arrays: Mapping[str, np.ndarray], net: str | Path) -> None:
    """Write features with write_arrays, and beside them the digest of `net`, the file of the weights that made them."""
    write_arrays(folder, arrays)
    write_bytes(Path(folder) / _MADE_BY, (digest(net) + "\n").encode())


def read_features(folder: str | Path, net: str | Path) -> dict[str, np.ndarray]:
    """Read features; raises UserError if a file is missing, or if other weights than those in `net` made them."""
    arrays = read_arrays(folder)
    if made_by(folder) != digest(net):
        raise UserError(f"the features in {folder} are not by the net in {net}: run dvc repro, which makes both")
    return arrays


def made_by(folder: str | Path) -> str:
    """The digest of the weights that made the features in a folder; raises UserError if it is missing."""
    return _read(Path(folder) / _MADE_BY).decode(errors="replace").strip()


def digest(path: str | Path) -> str:
    """The SHA-256 of a file in hexadecimal; raises UserError if it is missing."""
    return hashlib.sha256(_read(path)).hexdigest()


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} is missing: {_MISSING}") from None


def write_json(path: str | Path, content: Mapping) -> None:
    """Write JSON, see `json_text`."""
    write_bytes(path, json_text(content).encode())


def json_text(content: Mapping) -> str:
    """JSON with sorted keys and floats rounded to six decimals, so that a diff shows real changes only."""
    return json.dumps(_rounded(content), indent=2, sort_keys=True, allow_nan=False) + "\n"


def read_json(path: str | Path) -> dict:
    """Read a JSON file; raises UserError if it is missing or not JSON."""
    try:
        return json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON ({error}): delete it and run dvc repro") from None


def write_csv(path: str | Path, table) -> None:
    """Write a pandas table as CSV, see `csv_text`."""
    write_bytes(path, csv_text(table).encode())


def csv_text(table) -> str:
    """A pandas table as CSV without its index, floats to six significant digits."""
    # A column of objects would keep all digits of its floats.
    return table.infer_objects().to_csv(index=False, float_format="%.6g", lineterminator="\n")


def write_weights(path: str | Path, model) -> None:
    """Write a Keras model's weights as .weights.h5, atomically; raises OSError as write_bytes does."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        with temporary.open("wb") as file:
            # HDF5 crashes where the disk is full, so whether there is space for the weights is tried first.
            os.posix_fallocate(file.fileno(), 0, 4 * model.count_params() + 2**20)
        model.save_weights(temporary, overwrite=True)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def read_weights(path: str | Path, model) -> None:
    """Load .weights.h5 into a built Keras model; raises UserError if the file is missing or belongs to another net."""
    try:
        model.load_weights(path)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: {_MISSING}") from None
    except Exception as error:  # whatever HDF5 and Keras raise on a damaged file
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} does not hold the weights of {model.name} ({reason}): run dvc repro") from None


def _rounded(value):
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    if isinstance(value, np.ndarray):
        return _rounded(value.tolist())
    if isinstance(value, (float, np.floating)):
        return round(float(value), 6)
    if isinstance(value, np.integer):
        return int(value)
    return value
