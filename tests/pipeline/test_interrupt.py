"""A training that is interrupted at any moment resumes where it was and ends with the same bytes."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from tests.pipeline.scratch import duplicate, dvc, hashes, ran
from tools import smoke

pytestmark = [pytest.mark.pipeline, pytest.mark.data]

STAGE = "train_siamese@siamese-2d"
# Enough epochs that a random moment of the training lies between two checkpoints.
EPOCHS = 12


@pytest.fixture(scope="module")
def prepared(smoke_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smoke run with a longer training ahead of it."""
    project = duplicate(smoke_run, tmp_path_factory.mktemp("interrupt") / "prepared")
    smoke.shrink(project, {"siamese.epochs": EPOCHS})
    return project


@pytest.fixture(scope="module")
def uninterrupted(prepared: Path) -> dict[str, str]:
    """The hashes of all outputs after an uninterrupted training."""
    project = duplicate(prepared, prepared.with_name("uninterrupted"))
    dvc(project, "repro", "--single-item", STAGE)
    return hashes(project)


@pytest.fixture
def project(prepared: Path, tmp_path: Path) -> Path:
    return duplicate(prepared, tmp_path / "project")


@pytest.fixture(scope="module")
def ctrl_c(prepared: Path) -> tuple[Path, subprocess.Popen, str, float]:
    """A training that Ctrl-C ended after a checkpoint, without DVC, which would add its own lines.

    Its project, which no test changes, its process, what that printed as errors, and the seconds until it ended.
    """
    project = duplicate(prepared, prepared.with_name("interrupted"))
    # A shell starts what it puts into the background with Ctrl-C ignored, and that is inherited.
    process = start(
        project,
        "stages/train_siamese.py",
        "siamese-2d",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(process, lambda: bool(checkpoints(project)))
    asked = time.monotonic()
    err = end(process, signal.SIGINT)
    return project, process, err, time.monotonic() - asked


@pytest.fixture
def interrupted(ctrl_c: tuple, tmp_path: Path) -> Path:
    """A copy of the project of the interrupted training."""
    return duplicate(ctrl_c[0], tmp_path / "project")


@pytest.fixture(scope="module")
def faulty(ctrl_c: tuple) -> Path:
    """A copy of the same, in which fault follows fault before the training ends."""
    return duplicate(ctrl_c[0], ctrl_c[0].with_name("faulty"))


def start(project: Path, *words: str, **options) -> subprocess.Popen:
    """Start Python with these words (without any: the stage, by dvc) in a process group, to end all of it at once."""
    return subprocess.Popen(
        [sys.executable, *(words or ("-m", "dvc", "repro", "--single-item", STAGE))],
        cwd=project,
        env=smoke.environment(project),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def finish(project: Path) -> str:
    """Run the stage to its end; return what it printed."""
    done = start(project)
    out, err = done.communicate(timeout=300)
    assert done.returncode == 0, out + err
    return out


def wait_for(process: subprocess.Popen, seen: Callable[[], bool], every: float = 0.02) -> None:
    """Wait until something is seen, looking once in so many seconds, while the process runs."""
    while not seen():
        assert process.poll() is None, "".join(process.communicate())
        time.sleep(every)


def end(process: subprocess.Popen, sign: signal.Signals) -> str:
    """Send a signal to dvc and its stage; return what they printed on standard error."""
    os.killpg(process.pid, sign)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    return err


def checkpoints(project: Path) -> list[Path]:
    return list((project / ".checkpoints").glob("siamese-2d.*.checkpoint"))


def unfinished(project: Path) -> list[Path]:
    """A checkpoint that is being written."""
    return list((project / ".checkpoints").glob(".siamese-2d.*"))


@contextlib.contextmanager
def mounted(folder: Path, *words: str) -> Iterator[None]:
    """Mount something over a folder; skips the test if this user may not."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *words, str(folder)], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs the right to mount ({done.stderr.strip()})")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.long
def test_killed_at_random_moments_also_twice_in_a_row(project: Path, uninterrupted: dict[str, str]):
    moments = [random.uniform(0, 1) for _ in range(2)]
    for moment in moments:
        process = start(project)
        before = {path: path.stat().st_mtime_ns for path in checkpoints(project)}
        # Until this run has finished an epoch of its own; then up to some epochs more.
        wait_for(process, lambda b=before: {p: p.stat().st_mtime_ns for p in checkpoints(project)} != b)
        try:
            process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            end(process, signal.SIGKILL)
        else:
            break  # it finished before that moment
    # The stage deletes its checkpoint when all is written; if dvc was ended before it took note, the stage runs again.
    left = checkpoints(project)
    output = finish(project)
    assert ("resuming after epoch" in output) == bool(left), (moments, left, output)
    assert hashes(project) == uninterrupted, moments
    assert not checkpoints(project) and not unfinished(project)


def test_ctrl_c_ends_the_stage_with_one_line(ctrl_c: tuple):
    _, process, err, seconds = ctrl_c
    assert seconds < 10
    assert process.returncode == 130
    lines = [line.split("\r")[-1] for line in err.splitlines()]
    assert lines[-1] == "interrupted: run dvc repro to resume after the last finished epoch"
    assert "Traceback" not in err


def test_a_full_disk_ends_in_a_sentence_and_nothing_half_written(faulty: Path):
    """The disk of the checkpoints; the one that an earlier run left is there again afterwards, for the next test."""
    (left,) = checkpoints(faulty)
    before = left.read_bytes()
    with mounted(faulty / ".checkpoints", "-t", "tmpfs", "-o", "size=64k", "tmpfs"):
        process = start(faulty)
        out, err = process.communicate(timeout=120)
        assert process.returncode != 0
        assert "error: no space left on the disk for .checkpoints/" in err and "Traceback" not in out + err
        assert not checkpoints(faulty) and not unfinished(faulty)
    assert left.read_bytes() == before


def test_killed_while_a_checkpoint_is_written_and_then_the_stage_alone(faulty: Path, uninterrupted: dict[str, str]):
    """After the fault of the test above."""
    project = faulty
    process = start(project)
    wait_for(process, lambda: bool(unfinished(project)), every=0.001)
    end(process, signal.SIGKILL)

    (left,) = checkpoints(project)
    before = left.stat().st_mtime_ns
    process = start(project)
    wait_for(process, lambda: left.stat().st_mtime_ns != before)
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0 and "failed to reproduce" in err

    assert "resuming after epoch" in finish(project)
    assert hashes(project) == uninterrupted
    assert not checkpoints(project) and not unfinished(project)


def test_a_checkpoint_of_other_parameters_is_not_used(interrupted: Path):
    (left,) = checkpoints(interrupted)
    smoke.shrink(interrupted, {"margin": 3.0})
    assert "resuming" not in finish(interrupted)
    assert not left.exists() and not checkpoints(interrupted)


@pytest.mark.long
def test_dvc_ended_alone(project: Path, uninterrupted: dict[str, str]):
    """Its stage keeps running, at the same time as that of the next dvc repro: both write the same complete files."""
    process = start(project)
    wait_for(process, lambda: bool(checkpoints(project)))
    os.kill(process.pid, signal.SIGTERM)
    process.wait(timeout=60)
    finish(project)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    assert hashes(project) == uninterrupted


def test_a_damaged_checkpoint_is_not_used(interrupted: Path, uninterrupted: dict[str, str]):
    (left,) = checkpoints(interrupted)
    content = bytearray(left.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    left.write_bytes(content)
    assert "resuming" not in finish(interrupted)
    assert hashes(interrupted) == uninterrupted


@pytest.mark.long
def test_a_read_only_cache_ends_in_a_sentence(project: Path, uninterrupted: dict[str, str]):
    cache = project / ".dvc/cache"
    with mounted(cache, "--bind", str(cache)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(cache)], check=True)
        process = start(project)
        out, err = process.communicate(timeout=300)
        assert process.returncode != 0 and "Read-only file system" in err and "Traceback" not in out + err
    finish(project)
    assert hashes(project) == uninterrupted


@pytest.mark.long
def test_a_clock_that_was_set_back_or_forth_reruns_nothing(branch: Path):
    """Files from another time: DVC decides by their content."""
    for year in (1990, 2090):
        moment = datetime(year, 1, 1, tzinfo=UTC).timestamp()
        for path in (*branch.glob("*.*"), *(branch / "src").rglob("*"), *(branch / "stages").iterdir()):
            os.utime(path, (moment, moment))
        assert ran(dvc(branch, "repro")) == []
