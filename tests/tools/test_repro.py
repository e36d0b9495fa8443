"""Stages at the same time: which start when, and what a failed, a killed and an interrupted one leave."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import networkx
import pytest

from tests.pipeline.scratch import dvc
from tools import reached, repro, smoke

# a and b do not need each other; c needs b, d needs both; `check_params` comes first, though nothing needs it.
# A stage waits for the other one in `together`, if it is one of two that should run at the same time.
STAGE = """
import os, pathlib, sys, time
name, *deps = sys.argv[1:]
hold = pathlib.Path(os.environ["HOLD"])
(hold / f"{name}-started").write_text(str(os.getpid()))
end = time.monotonic() + 60
while name in ("a", "b") and not all((hold / f"{other}-started").exists() for other in ("a", "b")):
    assert time.monotonic() < end, "the other stage has not started"
    time.sleep(0.02)
while (hold / f"hold-{name}").exists():
    time.sleep(0.02)
if name == "b" and (hold / "bad").exists():
    sys.exit("error: b is broken")
if name != "check_params":
    open(name, "w").write(name + "".join(open(dep).read() for dep in deps))
"""
NEEDS = {"check_params": [], "a": [], "b": [], "c": ["b"], "d": ["a", "b"]}
# Whoever runs the tests may have nohup ignore SIGHUP.
PROGRAM = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL);"
PROGRAM += " from tools import repro; repro.reached.lines = lambda folder: ['what was reached']; repro.main()"


def graph(needs: dict[str, list[str]]) -> networkx.DiGraph:
    found = networkx.DiGraph()
    found.add_nodes_from(needs)
    found.add_edges_from((before, stage) for stage, deps in needs.items() for before in deps)
    return found


def test_the_stage_with_the_longest_way_to_the_end_comes_first_after_the_check():
    ordered = repro.in_order(graph(NEEDS | {"e": []}), {"a": 1, "b": 2, "c": 5, "d": 3, "e": 6.5})
    assert repro.startable(ordered, [], [], 2, 100) == ["check_params"]
    assert repro.startable(ordered, ["check_params"], [], 2, 100) == ["b", "e"]
    assert repro.startable(ordered, ["check_params"], ["b", "e"], 3, 100) == ["a"]
    assert repro.startable(ordered, ["check_params", "b"], ["e", "a"], 2, 100) == []
    assert repro.startable(ordered, ["check_params", "b"], ["e", "a"], 4, 100) == ["c"]


@pytest.mark.parametrize(("room", "count"), [(0.5, 1), (7.9, 1), (8.0, 2), (9.9, 2), (10.0, 3)])
def test_no_more_stages_than_fit_into_the_memory_but_always_one(room, count):
    stages = graph({"train_convnet@10-class": [], "train_convnet@6-class": [], "train_siamese@siamese-2d": []})
    started = repro.startable(stages, [], [], 9, room)
    assert sum("convnet" in stage for stage in started) <= room // 4 or len(started) == 1
    assert len(started) == count or (room == 7.9 and started == ["train_convnet@10-class", "train_siamese@siamese-2d"])
    assert 0 < repro.memory() < 1e6


@pytest.mark.parametrize("record", ["<<<<<<< HEAD", '{"minutes": null}', "{}", "[1]", "\x00"])
def test_a_damaged_record_costs_only_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: str):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "provenance").mkdir()
    (tmp_path / "provenance/a.json").write_text(record)
    (tmp_path / "provenance/b.json").write_text('{"minutes": 2.5}')
    (tmp_path / "dvc.lock").write_text("stages: {a: {cmd: python a.py}, b: {cmd: python b.py}, c: {cmd: python c.py}}")
    assert repro.stored_minutes() == {"b": 2.5}


def test_minutes_are_found_by_the_names_of_the_stages(monkeypatch):
    monkeypatch.chdir(smoke.ROOT)
    found = repro.stored_minutes()
    assert {
        "split",
        "train_convnet@6-class",
        "one_shot_mnist@siamese-2d",
        "export_digit_net@siamese-2d",
    } <= found.keys()
    assert (
        found["train_convnet@6-class"]
        == json.loads(Path("provenance/train_convnet-6-class.json").read_text())["minutes"]
    )


def test_what_was_reached_is_five_lines_of_the_stored_metrics():
    lines = reached.lines(smoke.ROOT)
    assert len(lines) == 5
    stored = json.loads((smoke.ROOT / "metrics/train_convnet/10-class.json").read_text())["test"]["accuracy"]
    assert f"{stored:.3f} (report: 0.87)" in lines[0] and "(report: 0.60)" in lines[2] and "report:" not in lines[3]
    assert str(smoke.ROOT / "plots/page.html") in lines[4]


def test_what_was_not_measured_has_no_line(tmp_path: Path):
    """As with one_shot.shots: [5]."""
    shutil.copytree(smoke.ROOT / "metrics", tmp_path / "metrics")
    shutil.copy(smoke.ROOT / "params.yaml", tmp_path)
    path = tmp_path / "metrics/one_shot_mnist/siamese-3d.json"
    path.write_text(path.read_text().replace("shot_1", "shot_2"))
    assert len(reached.lines(tmp_path)) == 4


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A DVC project in which nothing has run, with a space in its path."""
    folder = tmp_path / "a project"
    (folder / "provenance").mkdir(parents=True)
    (folder / "stage.py").write_text(STAGE)
    stages = {
        name: {"cmd": f"python stage.py {' '.join([name, *deps])}", "deps": ["stage.py", *deps]}
        | ({} if name == "check_params" else {"outs": [name]})
        for name, deps in NEEDS.items()
    }
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    smoke.git(folder, "init", "--quiet")
    dvc(folder, "init", "--quiet")
    return folder


@pytest.fixture
def hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a stage leaves NAME-started, and waits while there is a file hold-NAME."""
    folder = tmp_path / "hold"
    folder.mkdir()
    monkeypatch.setenv("HOLD", str(folder))
    return folder


def start(project: Path) -> subprocess.Popen:
    variables = smoke.environment(project) | {"PYTHONPATH": f"{smoke.ROOT}:{smoke.ROOT / 'src'}"}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=project,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def wait_for(path: Path) -> int:
    """Wait until a stage has started; return its process id."""
    end = time.monotonic() + 120
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return int(path.read_text())


def finish(project: Path) -> list[str]:
    process = start(project)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    return out.splitlines()


@pytest.mark.pipeline
def test_stages_run_at_the_same_time_and_the_next_run_finds_them_up_to_date(project: Path, hold: Path):
    lines = finish(project)
    assert lines[0] == "start  check_params" and lines[-1] == "what was reached"
    assert {line.split()[1] for line in lines if line.startswith("end ")} == NEEDS.keys()
    assert [(project / name).read_text() for name in "abcd"] == ["a", "b", "cb", "dab"]
    again = finish(project)
    assert again == ["all stages are up to date", "what was reached"]
    # A changed stage, and what needs it, runs again; DVC alone says the same.
    (project / "a").unlink()
    assert not any(line.startswith("start  b") for line in finish(project))


@pytest.mark.pipeline
@pytest.mark.parametrize("how", ["fails", "is killed"])
def test_a_stage_that_fails_lets_the_others_end_and_is_named_last(project: Path, hold: Path, how: str):
    if how == "fails":
        (hold / "bad").touch()
    else:
        (hold / "hold-b").touch()
    process = start(project)
    if how == "is killed":
        os.kill(wait_for(hold / "b-started"), signal.SIGKILL)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert out.splitlines()[-1].startswith("error: b failed")
    assert (how == "is killed") or "[b] error: b is broken" in out
    assert (project / "a").read_text() == "a" and not (project / "c").exists() and not (project / "d").exists()
    for path in hold.glob("*"):
        if not path.name.endswith("-started"):
            path.unlink()
    assert not any(line.startswith("start  a") for line in finish(project))
    assert (project / "d").read_text() == "dab"


@pytest.mark.pipeline
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_all_and_the_next_run_resumes(project: Path, hold: Path, sign: signal.Signals):
    for name in ("a", "b"):
        (hold / f"hold-{name}").touch()
    process = start(project)
    stages = [wait_for(hold / f"{name}-started") for name in ("a", "b")]
    process.send_signal(sign)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in out.split("interrupted")[-1]
    assert out.splitlines()[-1].startswith("interrupted: run make repro")
    for pid in stages:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    for name in ("a", "b"):
        (hold / f"hold-{name}").unlink()
    assert finish(project)[-1] == "what was reached"
    assert (project / "d").read_text() == "dab"


@pytest.mark.pipeline
def test_a_closed_pipe_ends_all(project: Path, hold: Path):
    """As `make repro | head -1`."""
    for name in ("a", "b"):
        (hold / f"hold-{name}").touch()
    process = start(project)
    pid = wait_for(hold / "b-started")
    assert process.stdout is not None
    process.stdout.close()
    (hold / "hold-a").unlink()
    assert process.wait(timeout=120) == 141
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.pipeline
def test_beside_another_run_it_ends_with_one_sentence_and_does_all_later(project: Path, hold: Path):
    """The other one was killed, but not its stages."""
    for name in ("a", "b"):
        (hold / f"hold-{name}").touch()
    killed = start(project)
    for name in ("a", "b"):
        wait_for(hold / f"{name}-started")
    killed.kill()
    killed.communicate(timeout=60)
    second = start(project)
    out, _ = second.communicate(timeout=60)
    assert second.returncode == 1 and out.startswith("error: another run is at work in this folder: wait")
    assert len(out.splitlines()) == 1
    for name in ("a", "b"):
        (hold / f"hold-{name}").unlink()
    end, out = time.monotonic() + 60, "at work"
    while "at work" in out:
        assert time.monotonic() < end
        out, _ = (last := start(project)).communicate(timeout=300)
    assert last.returncode == 0 and out.splitlines()[-1] == "what was reached"
    assert [(project / name).read_text() for name in "abcd"] == ["a", "b", "cb", "dab"]
