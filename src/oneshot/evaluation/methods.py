"""The transforms of features before distances are computed, by name: the usual ones of the few-shot literature."""

from typing import NamedTuple

# Chosen on folds of the seen classes (docs/recipe.md); all but the first are of soft k-means (transductive.py).
SHRINKAGE = 0.6  # of the covariance in the whitening transform
TEMPERATURE = 0.15  # of the soft assignment, in squared distances of features of unit length
MOVE = 0.3  # fraction of the way to its new place that a class mean moves in each step
STEPS = 10  # of k-means
SCALINGS = 5  # of Sinkhorn's algorithm, in each step
# Of the power transform, as in PT-MAP.
EXPONENT = 0.5

# Steps of a transform of features (n, d). Sources: cl2n is that of SimpleShot (Wang et al. 2019);
# the power transform with centring is that of PT-MAP (Hu et al. 2021). Whitening is within-class covariance
# normalisation of speaker recognition (Hatch et al. 2006), followed there too by unit length (Garcia-Romero &
# Espy-Wilson 2011), with a covariance shrunk as in regularised discriminant analysis (Friedman 1989).
TRANSFORMS: dict[str, tuple[str, ...]] = {
    "raw": (),
    "unit": ("unit",),
    "cl2n": ("centre", "unit"),
    "power": ("power", "unit"),
    "power_centred": ("power", "unit", "centre", "unit"),
    "standardised": ("power", "unit", "standardise", "unit"),
    "whitened": ("centre", "whiten", "unit"),
}
# Steps whose constants come from features of other classes, those that the net was trained on.
LEARNED = frozenset({"centre", "standardise", "whiten"})


_LAYERS = {"units": "", "linear": "pre-ReLU units", "pooled": "GAP", "maps": "last maps"}


class Method(NamedTuple):
    """How features are made from a net's outputs.

    transform: of TRANSFORMS, applied to each layer's features; layers: "units" of the representation (of a digit net
    its embedding), "linear" (the same before ReLU), "pooled" (the means of the last maps) or "maps" (of a digit net:
    training.maps); features of several layers are put side by side; flip: whether an image and its mirror image are
    averaged (flip test-time averaging).
    """

    transform: str = "raw"
    layers: tuple[str, ...] = ("units",)
    flip: bool = False

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of the transform, in order."""
        return TRANSFORMS[self.transform]

    @property
    def label(self) -> str:
        """What figures call it, such as "pre-ReLU units + GAP, whitened, flip" (GAP: global average pooling)."""
        layers = " + ".join(_LAYERS[layer] for layer in self.layers)
        transform = {"cl2n": "CL2N", "unit": "unit length"}.get(self.transform, self.transform.replace("_", ", "))
        return ", ".join(filter(None, [layers, transform, "flip" if self.flip else ""]))


# Residual nets classify by means of the last maps (He et al. 2016).
METHODS = {
    **{name: Method(name) for name in TRANSFORMS},
    "prerelu_whitened": Method("whitened", ("linear",)),
    "gap_cl2n": Method("cl2n", ("pooled",)),
    "gap_whitened": Method("whitened", ("pooled",)),
    "prerelu_gap_whitened": Method("whitened", ("linear", "pooled")),
    "flip": Method(flip=True),
    "flip_cl2n": Method("cl2n", flip=True),
    "flip_whitened": Method("whitened", flip=True),
    "flip_gap_whitened": Method("whitened", ("pooled",), flip=True),
    "flip_prerelu_gap_whitened": Method("whitened", ("linear", "pooled"), flip=True),
}
# The best on folds of the seen classes (the study `choice`), of those that classify each image by itself; the maximum
# over the unseen classes would flatter.
CHOSEN = "flip_prerelu_gap_whitened"
# Parts of the methods' old names, and what they are now.
_RENAMED = {"centred": "cl2n", "mirror": "flip", "pooled": "gap", "both": "prerelu_gap", "linear": "prerelu"}


def renamed(method: str) -> str | None:
    """Return the name that a method of METHODS has now, given its old one; None if it had no other."""
    new = "_".join(_RENAMED.get(part, part) for part in method.split("_"))
    return new if new in METHODS and method not in METHODS else None


# Of the digit nets: the embedding, or the last maps before it, averaged over cells.
DIGIT_METHODS = {"raw": Method(), "maps_whitened": Method("whitened", ("maps",))}
