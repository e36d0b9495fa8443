"""Write a net and its statistics as one ONNX file, from uint8 images to the vectors of each method (an encoder)."""

import hashlib
from functools import partial

from oneshot.core.environment import ComputeParams
from oneshot.core.params import Schema, Seed
from oneshot.core.stage import run
from oneshot.nets.table import NETS, PHOTOGRAPHS
from oneshot.splits.params import DigitParams, UnseenClassParams


class Params(Schema):
    """The parameters that this stage reads."""

    compute: ComputeParams
    seed: Seed
    cifar10: UnseenClassParams
    mnist: DigitParams


def main(params: Params, name: str) -> None:
    """Write exports/NAME.onnx, and to exports/NAME.json its SHA-256 and how far its probabilities are right."""
    import numpy as np

    from oneshot.core import files
    from oneshot.datasets import cifar10, mnist
    from oneshot.encoders import write
    from oneshot.encoders.weights import read_net
    from oneshot.evaluation import calibration, transforms
    from oneshot.evaluation.methods import CHOSEN, DIGIT_METHODS, METHODS

    weights = f"models/{name}.weights.h5"
    net = read_net(name, weights)
    data = files.read_features(f"features/{name}", net=weights)
    if name in PHOTOGRAPHS:
        kind, methods, default = "photograph", METHODS, CHOSEN
        new = np.isin(data["labels"], params.cifar10.unseen_classes if NETS[name].classes == "seen" else [])
        seen, unseen = transforms.layers_of(data, ~new), transforms.layers_of(data, new)
        seen_labels, labels = data["labels"][~new], data["labels"][new]
        trained_on = [cifar10.NAMES[label] for label in np.unique(seen_labels)]
    else:
        kind, methods, default = "drawing", DIGIT_METHODS, "maps_whitened"
        new = np.isin(data["labels"], params.mnist.unseen_digits if NETS[name].classes == "seen" else [])
        # The method raw learns nothing: of the embeddings it needs the dimensions alone.
        seen = {"maps": data["seen_maps"][None], "units": np.zeros((1, 1, net.units), np.float32)}
        unseen = {"maps": data["maps"][new][None]}
        seen_labels, labels = data["seen_labels"], data["labels"][new]
        digits = params.mnist.seen_digits + (params.mnist.unseen_digits if NETS[name].classes == "all" else [])
        trained_on = [mnist.NAMES[digit] for digit in sorted(digits)]

    def held_out(method: str, held: np.ndarray, others: np.ndarray) -> np.ndarray:
        layers = methods[method].layers
        ours, theirs = ({layer: seen[layer][:, chosen] for layer in layers} for chosen in (held, others))
        return transforms.transform_features(method, ours, theirs, seen_labels[others])

    temperatures = {
        method: calibration.choose_temperature(partial(held_out, method), seen_labels, seed=params.seed)
        for method, chosen in methods.items()
        if all(len(seen[layer][0]) == len(seen_labels) for layer in chosen.layers)
    }
    about = {
        "oneshot": "1",
        "name": name,
        "kind": kind,
        "input": f"{net.shape[0]} x {net.shape[1]} pixels, {'RGB' if kind == 'photograph' else 'grey, 255 is ink'}",
        "methods": list(methods),
        "default_method": default,
        "temperatures": temperatures,
        "trained_on": trained_on,
        "licence": "MIT; the data that it was trained on have terms of their own (docs/model_card.md)",
        "weights_sha256": files.digest(weights),
        "inputs_sha256": write.digest(net, seen, seen_labels),
    }
    content = write.encode(net, methods, seen, seen_labels, about)
    files.write_bytes(f"exports/{name}.onnx", content)

    metrics: dict = {"sha256": hashlib.sha256(content).hexdigest(), "temperature": temperatures[default]._asdict()}
    if new.any():
        vectors = transforms.transform_features(default, unseen, seen, seen_labels)
        fewest = np.unique(labels, return_counts=True)[1].min()
        for shots in (shots for shots in (1, 5) if shots < fewest):
            metrics[f"shot_{shots}"] = calibration.measure(
                vectors, labels, temperatures[default], shots=shots, seed=params.seed
            )
    files.write_json(f"exports/{name}.json", metrics)


if __name__ == "__main__":
    run(main, Params, net=tuple(NETS))
