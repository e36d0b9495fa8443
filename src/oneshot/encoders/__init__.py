"""One ONNX file per encoder: uint8 images in, the vectors that distances are taken of out."""
