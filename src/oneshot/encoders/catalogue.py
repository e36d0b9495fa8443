"""The project's own encoders by name, and where their files are: in the wheel, or in the checkout that made them."""

from pathlib import Path

from oneshot.core.errors import UserError
from oneshot.nets.table import DRAWINGS, NETS

DEFAULT = "6-class"

_PACKAGE = Path(__file__).parents[1]
# The wheel holds the encoders for drawings; in a checkout all are where the stage export_encoder writes them.
_FOLDERS = (_PACKAGE / "encoders/data", _PACKAGE.parents[1] / "exports")


def find(encoder: str | Path) -> Path:
    """The file of an encoder: one of NETS, or the path of an ONNX file.

    Raises UserError if there is no such file; for an encoder that is not in the wheel it says what works.
    """
    if str(encoder) not in NETS:
        if Path(encoder).is_file():
            return Path(encoder)
        kind = "is missing" if Path(encoder).suffix == ".onnx" else "is no encoder"
        raise UserError(f"{encoder} {kind}: give an ONNX file, or one of {', '.join(NETS)}")
    for folder in _FOLDERS:
        path = folder / f"{encoder}.onnx"
        if path.is_file():
            return path
    if encoder in DRAWINGS:
        raise UserError(f"the encoder {encoder} is missing: run dvc repro export_digit_net@{encoder}, or install again")
    raise UserError(
        f"the encoder {encoder}, for photographs, is not here, and no release has it yet: make it with `make repro` in"
        f" a clone of the project, or copy it from one that has it (`dvc get CLONE exports/{encoder}.onnx`), then name"
        f" the file: --encoder {encoder}.onnx. For drawings --encoder siamese-3d works now"
    )
