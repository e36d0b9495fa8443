"""The transforms of features before distances are computed, by name: the usual ones of the few-shot literature."""

from typing import NamedTuple

# Steps of a transform of features (n, d). Sources: centring and unit length are CL2N of SimpleShot (Wang et al. 2019);
# the power transform with centring is that of PT-MAP (Hu et al. 2021). Whitening is within-class covariance
# normalisation of speaker recognition (Hatch et al. 2006), followed there too by unit length (Garcia-Romero &
# Espy-Wilson 2011), with a covariance shrunk as in regularised discriminant analysis (Friedman 1989).
TRANSFORMS: dict[str, tuple[str, ...]] = {
    "raw": (),
    "unit": ("unit",),
    "centred": ("centre", "unit"),
    "power": ("power", "unit"),
    "power_centred": ("power", "unit", "centre", "unit"),
    "standardised": ("power", "unit", "standardise", "unit"),
    "whitened": ("centre", "whiten", "unit"),
}
# Steps whose constants come from features of other classes, those that the net was trained on.
LEARNED = frozenset({"centre", "standardise", "whiten"})


class Method(NamedTuple):
    """How features are made from a net's outputs.

    transform: of TRANSFORMS, applied to each layer's features; layers: "units" of the representation (of a digit net
    its embedding), "linear" (the same before ReLU), "pooled" (the means of the last maps) or "maps" (of a digit net:
    training.maps); features of several layers are put side by side; mirror: whether an image and its mirror image are
    averaged (test-time averaging).
    """

    transform: str = "raw"
    layers: tuple[str, ...] = ("units",)
    mirror: bool = False

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of the transform, in order."""
        return TRANSFORMS[self.transform]


# Residual nets classify by means of the last maps (He et al. 2016).
METHODS = {
    **{name: Method(name) for name in TRANSFORMS},
    "linear_whitened": Method("whitened", ("linear",)),
    "pooled_centred": Method("centred", ("pooled",)),
    "pooled_whitened": Method("whitened", ("pooled",)),
    "both_whitened": Method("whitened", ("linear", "pooled")),
    "mirror": Method(mirror=True),
    "mirror_centred": Method("centred", mirror=True),
    "mirror_whitened": Method("whitened", mirror=True),
    "mirror_pooled_whitened": Method("whitened", ("pooled",), mirror=True),
    "mirror_both_whitened": Method("whitened", ("linear", "pooled"), mirror=True),
}
# Of the digit nets: the embedding, or the last maps before it, averaged over cells.
DIGIT_METHODS = {"raw": Method(), "maps_whitened": Method("whitened", ("maps",))}
