"""Checkpoints: an interrupted training resumes after its last finished epoch, and from nothing else."""

import hashlib
import io
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from oneshot.core.files import write_bytes

_DIGEST = 32  # bytes of the SHA-256 that a file starts with


class Checkpoint:
    """The state of one training in one file, valid only for the same parameters, data, code and libraries."""

    def __init__(self, folder: str | Path, name: str, *determinants):
        """folder: of the checkpoints; name: of the training; determinants: texts and arrays that determine its result.

        Checkpoints of the same training with other determinants are deleted, so there is at most one per training.
        """
        key = _key(*determinants)
        self.path = Path(folder) / f"{name}.{key}.checkpoint"
        for path in [*Path(folder).glob(f"{name}.*.checkpoint"), *Path(folder).glob(f".{name}.*.checkpoint.*")]:
            if path != self.path:
                path.unlink(missing_ok=True)

    def save(self, epoch: int, arrays: list[np.ndarray], history: list[dict]) -> None:
        """Write the state after `epoch` finished epochs; the previous one is replaced once this one is complete."""
        buffer = io.BytesIO()
        buffer.write(bytes(_DIGEST))
        note = np.array(json.dumps({"epoch": epoch, "history": history}))
        np.savez(buffer, note=note, **_named(arrays))
        content = buffer.getbuffer()
        content[:_DIGEST] = hashlib.sha256(content[_DIGEST:]).digest()
        write_bytes(self.path, content)

    def restore(self) -> tuple[int, list[np.ndarray], list[dict]] | None:
        """Read the last saved (epoch, arrays, history), or None if there is none or it cannot be read."""
        try:
            content = memoryview(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            print(f"the checkpoint {self.path.name} cannot be read ({error.strerror}): starting over", file=sys.stderr)
            return None
        # NumPy may read a damaged archive without an error, but with other contents.
        if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
            print(f"the checkpoint {self.path.name} is damaged: starting over", file=sys.stderr)
            return None
        with np.load(io.BytesIO(content[_DIGEST:]), allow_pickle=False) as stored:
            note = json.loads(str(stored["note"]))
            return note["epoch"], [stored[f"{i:04d}"] for i in range(len(stored.files) - 1)], note["history"]

    def delete(self) -> None:
        """Delete the checkpoint after success."""
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
    """List the code that the training depends on: the script that runs, and the project's modules it has imported."""
    # Compared as text, because TensorFlow brings thousands of modules.
    package = os.path.dirname(os.path.dirname(__file__)) + os.sep
    loaded = {str(getattr(module, "__file__", None)) for module in list(sys.modules.values())}
    sources = {Path(file) for file in loaded if file.startswith(package)}
    # `python -c` has no script. That of pytest is always the same.
    script = Path(getattr(sys.modules["__main__"], "__file__", None) or "")
    return sorted(sources | {script} if script.is_file() else sources)
