"""Choose the training, validation and test images of each task."""

from oneshot.core.params import Schema, Seed
from oneshot.core.stage import run
from oneshot.splits.params import Cifar10Params, MnistParams


class Params(Schema):
    """The parameters that this stage reads."""

    seed: Seed
    cifar10: Cifar10Params
    mnist: MnistParams


def main(params: Params) -> None:
    """Write index arrays, data/splits/TASK/PART.npy, and how many images are trained on and tested."""
    from oneshot.core import files
    from oneshot.datasets import cifar10, mnist
    from oneshot.splits.split import split_cifar10, split_mnist

    labels = cifar10.read("data/raw/cifar10").labels, mnist.read("data/raw/mnist").labels
    tasks = {
        **split_cifar10(labels[0], cifar10.TRAINING, params.cifar10, params.seed),
        **split_mnist(labels[1], mnist.TRAINING, params.mnist, params.seed),
    }
    for task, parts in tasks.items():
        files.write_arrays(f"data/splits/{task}", parts)
    # How many are validation images is a parameter, so it is no metric.
    counts = {
        task: {part: len(indices) for part, indices in parts.items() if not part.endswith("validation")}
        for task, parts in tasks.items()
    }
    files.write_json("metrics/split.json", counts)


if __name__ == "__main__":
    run(main, Params)
