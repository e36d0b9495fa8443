"""Getting the encoders that are too large for the package from where a release has published them."""

import importlib.metadata
import os
import sys
from pathlib import Path

import platformdirs

from oneshot.core import files
from oneshot.core.errors import UserError

DISTRIBUTION = "oneshot-dvc"
_LABEL = "encoders"  # of the address in pyproject.toml, [project.urls]
_TIMEOUT = 30  # seconds without an answer


def published() -> str | None:
    """The address under which a release has published the encoders, from the package's metadata; None if none has."""
    try:
        listed = importlib.metadata.metadata(DISTRIBUTION).get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    pairs = (line.partition(", ") for line in listed)
    return next((address for label, _, address in pairs if label.lower() == _LABEL), None)


def place(name: str, digest: str) -> Path:
    """Where a fetched encoder is kept: in $ONESHOT_CACHE, or in the user's cache; another version has another name."""
    cache = os.path.expanduser(os.environ.get("ONESHOT_CACHE", "")) or platformdirs.user_cache_dir("oneshot")
    return Path(cache) / "encoders" / f"{name}-{digest[:16]}.onnx"


def digest(record: Path) -> str | None:
    """The SHA-256 of an encoder's file, from its record, the .json beside it; None if that does not say it."""
    return files.read_json(record).get("sha256") if record.is_file() else None


def fetch(name: str, sha256: str, address: str) -> Path:
    """Fetch an encoder, unless it is there already; return its file.

    address: the folder of NAME.onnx, http or https. Raises UserError if that cannot be had, or has another SHA-256.
    """
    import pooch
    import requests

    path, url = place(name, sha256), f"{address.rstrip('/')}/{name}.onnx"
    if not url.startswith(("http://", "https://")):
        raise UserError(f"{address} is no address of the web: give the one of the folder that has {name}.onnx")
    pooch.get_logger().setLevel("ERROR")
    load = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=_TIMEOUT)
    try:
        # pooch's annotation is that of a Downloader without its last argument.
        pooch.retrieve(url, f"sha256:{sha256}", fname=path.name, path=path.parent, downloader=load)  # pyright: ignore[reportArgumentType]
    except requests.HTTPError as error:
        raise UserError(f"{url} is not there ({error}): give another address") from None
    except requests.RequestException as error:
        raise UserError(
            f"{url} cannot be reached ({type(error).__name__}): try again, or give another address"
        ) from None
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{path.parent} cannot be written ({reason}): set ONESHOT_CACHE to another folder") from None
    except ValueError as error:
        if "hash" not in str(error):
            raise UserError(f"{url} is no address: give the one of the folder that has {name}.onnx") from None
        raise UserError(
            f"{url} is another version of {name} than this package's: install the release it is of"
        ) from None
    return path
