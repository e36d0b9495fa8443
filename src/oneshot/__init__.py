"""One-shot learning on CIFAR-10 and MNIST: arrays in, arrays out."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oneshot.encoders.encoder import Encoder
    from oneshot.evaluation.episodes import draw_episodes
    from oneshot.evaluation.few_shot import few_shot_accuracy
    from oneshot.evaluation.transforms import FeatureTransform
    from oneshot.use.classifier import OneShotClassifier

__all__ = ["Encoder", "FeatureTransform", "OneShotClassifier", "draw_episodes", "few_shot_accuracy"]
# Where the names are that users import from here; each module is loaded when its name is first used.
_PLACES = {
    "Encoder": "oneshot.encoders.encoder",
    "FeatureTransform": "oneshot.evaluation.transforms",
    "OneShotClassifier": "oneshot.use.classifier",
    "draw_episodes": "oneshot.evaluation.episodes",
    "few_shot_accuracy": "oneshot.evaluation.few_shot",
}


def __getattr__(name: str):
    if name not in _PLACES:
        raise AttributeError(f"module 'oneshot' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_PLACES]
