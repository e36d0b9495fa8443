"""Checkpoints: an interrupted training resumes after its last finished epoch, and from nothing else."""

import hashlib
import io
import json
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from oneshot.core.files import write_bytes


class Checkpoint:
    """The state of one training in one file, valid only for the same parameters, data, code and libraries."""

    def __init__(self, folder: str | Path, name: str, *determinants):
        """folder: of the checkpoints; name: of the training; determinants: texts and arrays that fix its result, such as
        the recipe, environment.determinants(), images.

        Checkpoints of the same training with other determinants are deleted, so that there is at most one per training.
        """
        key = _key(*determinants)
        self.path = Path(folder) / f"{name}.{key}.npz"
        for path in [*Path(folder).glob(f"{name}.*.npz"), *Path(folder).glob(f".{name}.*.npz.*")]:
            if path != self.path:
                path.unlink(missing_ok=True)

    def save(self, epoch: int, arrays: list[np.ndarray], history: list[dict]) -> None:
        """Write the state after `epoch` finished epochs; the previous state is replaced only when this one is whole."""
        buffer = io.BytesIO()
        note = np.array(json.dumps({"epoch": epoch, "history": history}))
        np.savez(buffer, note=note, **_named(arrays))
        write_bytes(self.path, buffer.getbuffer())

    def load(self) -> tuple[int, list[np.ndarray], list[dict]] | None:
        """Read the last saved (epoch, arrays, history), or None if there is none or it cannot be read."""
        try:
            with np.load(self.path, allow_pickle=False) as stored:
                note = json.loads(str(stored["note"]))
                return note["epoch"], [stored[f"{i:04d}"] for i in range(len(stored.files) - 1)], note["history"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            print(f"the checkpoint {self.path.name} cannot be read ({error}): starting over", file=sys.stderr)
            return None

    def delete(self) -> None:
        """Remove the state after success."""
        self.path.unlink(missing_ok=True)


def _named(arrays: list[np.ndarray]) -> dict[str, Any]:
    return {f"{i:04d}": array for i, array in enumerate(arrays)}


def _key(*determinants) -> str:
    digest = hashlib.sha256()
    for determinant in determinants:
        content = (
            np.ascontiguousarray(determinant).data if isinstance(determinant, np.ndarray) else determinant.encode()
        )
        digest.update(hashlib.sha256(content).digest())
    for package in ("tensorflow", "keras", "numpy"):
        digest.update(version(package).encode())
    for source in _local_sources():
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _local_sources() -> list[Path]:
    """The project's modules that this process has imported: what the training was computed with."""
    package = Path(__file__).parents[1]
    loaded = {Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    return sorted(path for path in loaded if package in path.parents)
