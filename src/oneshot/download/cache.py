"""The user's cache: the verified files, kept for the user's other clones of the project."""

import os
from pathlib import Path

import platformdirs

from oneshot.core.errors import UserError
from oneshot.core.files import write_bytes
from oneshot.download.catalogue import FILES, verify
from oneshot.download.failure import Failure


def cache_folder() -> Path:
    """Return the folder of the cache: $ONESHOT_CACHE, with ~ for the user's home, or the system's place for caches.

    Raises UserError if that is not an absolute path: stages run in several folders (dvc exp run has its own), and a
    relative path would create a cache in each.
    """
    given = os.environ.get("ONESHOT_CACHE", "")
    try:
        folder = Path(os.path.expanduser(given or platformdirs.user_cache_dir("oneshot")))
        str(folder).encode()  # a path that is not text could not be shown in a message
    except (RuntimeError, UnicodeEncodeError):  # RuntimeError: the system's place is in an unknown home
        folder = None
    if folder is None or not folder.is_absolute():
        place = repr(given) if given else "the system's place for caches"
        raise UserError(
            f"the cache of the data cannot be in {place}: set ONESHOT_CACHE to an absolute path or to one in your"
            " home, such as ~/.cache/oneshot, then run dvc repro again"
        )
    return folder


def read(dataset: str, cache: Path) -> dict[str, bytes]:
    """Read the files of a data set that its cache holds: {name: content}, verified.

    An altered or unreadable file is left out, and a line is printed about it.
    """
    contents = {}
    for name, file in FILES[dataset].items():
        path = cache / name
        try:
            found = path.stat().st_size
            if found != file.size:
                raise Failure(f"{path} has {found} bytes instead of {file.size}")
            content = path.read_bytes()
            verify(dataset, name, content)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (Failure, OSError) as error:
            print(f"{dataset}: the cached {name} cannot be used and is fetched again: {error}")
        else:
            contents[name] = content
    return contents


def write(contents: dict[str, bytes], cache: Path) -> None:
    """Write the files that the cache lacks; if that fails, print a line and continue."""
    for name, content in contents.items():
        try:
            if not (cache / name).is_file() or (cache / name).read_bytes() != content:
                write_bytes(cache / name, content)
        except OSError as error:
            # It is only a cache: the run has its data.
            print(f"the cache {cache} cannot be written ({error.strerror}); set ONESHOT_CACHE to a folder that can")
            return
