"""Writing a net's two files."""

from pathlib import Path

from oneshot.core import files
from oneshot.export import keras_file, nets, onnx_file


def write(name: str, weights: str | Path, folder: str | Path) -> None:
    """Write FOLDER/NAME.keras and FOLDER/NAME.onnx. name: of nets.NAMES; weights: the .weights.h5 of its training.

    Raises UserError as `nets.load` does.
    """
    net = nets.load(name, weights)
    files.write_bytes(Path(folder) / f"{name}.keras", keras_file.encode(net))
    files.write_bytes(Path(folder) / f"{name}.onnx", onnx_file.encode(net))
