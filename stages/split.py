"""Choose which images train, validate and test each task: data/splits/TASK/PART.npy, counted in metrics/split.json."""

from oneshot.datasets import CIFAR10_TRAINING, MNIST_TRAINING, read_cifar10, read_mnist
from oneshot.files import write_arrays, write_json
from oneshot.params import Schema, load
from oneshot.splits import Cifar10Params, MnistParams, split_cifar10, split_mnist
from oneshot.stage import run


class Params(Schema):
    """The parameters that this stage reads."""

    seed: int
    cifar10: Cifar10Params
    mnist: MnistParams


def main() -> None:
    """Split both data sets."""
    params = load(Params)
    _, labels = read_cifar10("data/raw/cifar10")
    tasks = split_cifar10(labels, CIFAR10_TRAINING, params.cifar10, params.seed)
    _, labels = read_mnist("data/raw/mnist")
    tasks |= split_mnist(labels, MNIST_TRAINING, params.mnist, params.seed)
    for task, parts in tasks.items():
        write_arrays(f"data/splits/{task}", parts)
    counts = {task: {part: len(indices) for part, indices in parts.items()} for task, parts in tasks.items()}
    write_json("metrics/split.json", counts)


if __name__ == "__main__":
    run(main)
