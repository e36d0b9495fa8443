"""A download over HTTP, of bounded size; a refusal is distinguished from a temporary fault."""

from pathlib import Path
from typing import Any, BinaryIO

import pooch
import requests
import urllib3
from tqdm import tqdm

from oneshot.download.failure import Failure

TIMEOUTS = (5.0, 30.0)  # seconds for a host to answer at all, and between two pieces of its answer


def download(url: str, path: Path, limit: int) -> None:
    """Download a URL into a file, of `limit` bytes at most.

    Raises Failure if the host refuses, its answer is malformed, the transfer is interrupted (temporary) or the host
    sends more; OSError if there is no space.
    """
    # A bar is false without a total, so it gets one; the downloader sets the real one. (Pooch's types allow only True.)
    bar: Any = tqdm(desc=path.name, total=limit, unit="B", unit_scale=True, mininterval=1, delay=1)
    with path.open("wb") as file, bar:
        # Some hosts would unpack a packed file in transit without this.
        as_it_is = {"Accept-Encoding": "identity"}
        get = pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16, timeout=TIMEOUTS, headers=as_it_is)
        try:
            get(url, Bounded(file, limit), None)
        except requests.RequestException as error:
            raise _failure(error) from None
        except ValueError:  # of a header that is no number, no text or no address
            raise Failure("sent a malformed answer") from None


class Bounded:
    """A file that accepts no more than `limit` bytes: a host may send without end."""

    def __init__(self, file: BinaryIO, limit: int):
        self._file = file
        self._left = limit

    def write(self, chunk: bytes) -> None:
        """Write a chunk; raises Failure if there is more than the limit."""
        self._left -= len(chunk)
        if self._left < 0:
            raise Failure("sent more than the data can have")
        self._file.write(chunk)

    def flush(self) -> None:
        """Do nothing: the downloader calls it after every chunk, but closing the file flushes it."""


def _failure(error: requests.RequestException) -> Failure:
    """Distinguish a refusal, after which the next host is tried, from a temporary fault."""
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
        return Failure("its name cannot be resolved (no internet?)")
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return Failure("refused the connection")
    broken = requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError
    if isinstance(error, broken):
        return Failure("the transfer was interrupted", passing=True)
    return Failure(type(error).__name__)
