"""Write a digit net as a .keras and an ONNX file that need none of this code: uint8 images in, embedding out."""

from oneshot.core.params import Schema
from oneshot.core.stage import run


class Params(Schema):
    """This stage reads no parameters."""


def main(_params: Params, name: str) -> None:
    """Write exports/NAME/NAME.keras and NAME.onnx."""
    from oneshot.export.write import write

    write(name, f"models/{name}.weights.h5", f"exports/{name}")


if __name__ == "__main__":
    run(main, Params, net=("siamese-2d", "siamese-3d", "dense-all", "dense-seen"))
