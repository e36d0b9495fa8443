"""The learning curves of all nets."""

from oneshot.page import charts
from oneshot.page.results import Results

# All amounts of augmentation; the only other kind is the flip.
_AUGMENTATIONS = ("rotation", "width_shift", "height_shift", "shear", "zoom")


def section(results: Results) -> dict:
    """Compute the charts "curve-NET-loss" and "curve-NET-accuracy", "convnets" (names) and "augmented" (yes or no)."""
    drawn = {}
    for net, table in results.curves.items():
        loss = "contrastive loss (no unit)" if net.startswith("siamese") else "cross-entropy (nats)"
        for metric, title in (("loss", loss), ("accuracy", "accuracy (share)")):
            training, validation = (
                table[(table["part"] == part) & (table["metric"] == metric)]["value"].tolist()
                for part in ("training", "validation")
            )
            drawn[f"curve-{net}-{metric}"] = charts.curves(training, validation, title)
    changes = results.params["convnet"]["recipe"]["augmentation"]
    augmented = any(changes[key] for key in _AUGMENTATIONS) or changes["flip"] != "none"
    return {"charts": drawn, "convnets": results.convnets, "augmented": augmented}
