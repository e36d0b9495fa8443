"""Write a trained net as a .keras and an ONNX file that need none of this code: uint8 images in, representation out."""

from oneshot.core.params import Schema
from oneshot.core.stage import run


class Params(Schema):
    """This stage reads no parameters."""


def main(_params: Params, name: str) -> None:
    """Write exports/NAME/NAME.keras and NAME.onnx."""
    from oneshot.core import files
    from oneshot.export import keras_file, nets, onnx_file

    net = nets.load(name, f"models/{name}.weights.h5")
    files.write_bytes(f"exports/{name}/{name}.keras", keras_file.encode(net))
    files.write_bytes(f"exports/{name}/{name}.onnx", onnx_file.encode(net))


if __name__ == "__main__":
    run(main, Params, net=("10-class", "6-class", "siamese-2d", "siamese-3d", "dense-all", "dense-seen"))
