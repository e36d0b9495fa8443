"""Scratch copies of the project for the tests of the pipeline, which never touch the project's own results."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from filelock import FileLock
from moto.server import ThreadedMotoServer

from oneshot.download.catalogue import FILES
from oneshot.download.fetch import fetch
from oneshot.download.params import DownloadParams
from tests.pipeline import hostile
from tests.pipeline.scratch import duplicate
from tools import smoke


@pytest.fixture(scope="session")
def smoke_runs(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> tuple[Path, Path]:
    """Two copies in which the small pipeline has run from nothing; the workers of `make test` share them.

    The first one ran by tools.repro, stages at the same time. The second one ran by DVC alone, as another user with
    settings of every kind, on one processor, which said it was of another make.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "smoke"
    folder.mkdir(exist_ok=True)
    first, second = folder / "project", folder / "again"
    with FileLock(folder / "lock"):
        if not (folder / "done").exists():
            # Into the cache, before a run in whose surroundings npm may crash.
            for dataset in FILES:
                fetch(dataset, DownloadParams(sources=["official", "npm"], folder=""))
            for copy in (first, second):
                shutil.rmtree(copy, ignore_errors=True)
            variables = hostile.settings(folder / "home") | hostile.other_processor(folder)

            def elsewhere() -> None:
                hostile.one_processor()
                smoke.run(second, variables)

            # A thread of its own, which alone is held to one processor.
            with ThreadPoolExecutor(1) as pool:
                running = pool.submit(elsewhere)
                smoke.run(first, by=("tools.repro",))
                running.result()
            (folder / "done").touch()
    return first, second


@pytest.fixture(scope="session")
def smoke_run(smoke_runs: tuple[Path, Path]) -> Path:
    """A copy in which the small pipeline has run, results committed; not to be changed by a test."""
    return smoke_runs[0]


@pytest.fixture
def branch(smoke_run: Path, tmp_path: Path) -> Path:
    """A copy of the smoke run that a test may change: with its data, its cache and its history."""
    return duplicate(smoke_run, tmp_path / "project")


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """An S3-compatible server on this machine with one empty bucket; yields the server's address."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_PROFILE", raising=False)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket="shared")
        yield address
        server.stop()
