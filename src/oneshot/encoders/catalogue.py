"""The project's own encoders by name, and where their files are: in the wheel, in the checkout, or fetched."""

from pathlib import Path

from oneshot.core.errors import UserError
from oneshot.encoders import fetch
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
    name = str(encoder)
    for folder in _FOLDERS:
        path = folder / f"{name}.onnx"
        if path.is_file():
            return path
    if name in DRAWINGS:
        raise UserError(f"the encoder {name} is missing: run dvc repro export_digit_net@{name}, or install again")
    digest = _digest(name)
    if digest and (path := fetch.place(name, digest)).is_file():
        return path
    get = f"get it by `oneshot fetch {name}`," if fetch.published() else "no release has published it yet;"
    raise UserError(
        f"the encoder {name}, for photographs, is not here: {get} make it by `make repro` in a clone of the"
        f" project, or copy it from a clone that has it (`dvc get CLONE exports/{name}.onnx`) and give --encoder"
        f" {name}.onnx; for drawings --encoder siamese-3d works now"
    )


def get(name: str, address: str | None = None) -> Path:
    """Fetch one of NETS from where a release has published it, or from another address; return its file.

    Raises UserError if nothing is published, or what is there is not this version.
    """
    if name not in NETS:
        raise UserError(f"{name} is no encoder: give one of {', '.join(NETS)}")
    if name in DRAWINGS:
        return find(name)
    address, digest = address or fetch.published(), _digest(name)
    if address is None:
        raise UserError(
            f"no release has published the encoder {name} yet: give the address of a folder that has it (--from URL),"
            " or make it by `make repro` in a clone of the project; for drawings --encoder siamese-3d works now"
        )
    if digest is None:
        raise UserError(f"this copy of the package has no SHA-256 of {name} to check it by: install a release")
    return fetch.fetch(name, digest, address)


def _digest(name: str) -> str | None:
    """The SHA-256 of an encoder's file in this version, if it is known."""
    return next(filter(None, (fetch.digest(folder / f"{name}.json") for folder in _FOLDERS)), None)
