"""The source `official`: the archives of the official releases, from the first host that has them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from oneshot.download.archives import archives, size_limit, unpack
from oneshot.download.catalogue import HOSTS, verify
from oneshot.download.failure import Failure, retry
from oneshot.download.http import download


def files(dataset: str, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the named files, verified; raises Failure naming each host and why it failed.

    A host is asked only for files that the hosts before it did not provide.
    """
    failures = []
    missing = list(names)
    for host in HOSTS[dataset]:
        try:
            for archive, contained in archives(dataset, missing).items():
                with tempfile.TemporaryDirectory() as scratch:
                    path = Path(scratch) / archive
                    retry(download, f"{host}/{archive}", path, size_limit(dataset, archive))
                    for name, content in unpack(dataset, path, contained):
                        verify(dataset, name, content)
                        missing.remove(name)
                        yield name, content
            return
        except Failure as failure:
            failures.append(f"{urlsplit(host).hostname}: {failure}")
    raise Failure(", ".join(failures))
