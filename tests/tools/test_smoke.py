"""A scratch copy: the caller's repository and cache have no part in it, and a run that ran nothing is not accepted."""

import os
from pathlib import Path

import pytest
from dvc.repo import Repo
from dvc.utils.serialize import dump_yaml

from tools import smoke


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that was made as from a hook of another repository, by a user with a shared cache."""
    above = tmp_path_factory.mktemp("copy")
    other = above / "other"
    other.mkdir()
    smoke.git(other, "init", "--quiet")
    (other / "file").touch()
    smoke.git(other, "add", "file")
    before = {path: path.read_bytes() for path in other.rglob("*") if path.is_file()}
    (above / "home/.config/dvc").mkdir(parents=True)
    (above / "home/.config/dvc/config").write_text(f"[cache]\n    dir = {above}/shared\n")
    with pytest.MonkeyPatch.context() as patch:
        names = [name for name in smoke.git(other, "rev-parse", "--local-env-vars").split() if "CONFIG" not in name]
        for name in names:
            patch.setenv(name, str(other / ".git/index" if name == "GIT_INDEX_FILE" else other / ".git"))
        patch.setenv("GIT_TRACE", "1")
        patch.setenv("LD_PRELOAD", "/no/such/library.so")
        patch.setenv("XDG_CONFIG_HOME", str(above / "home/.config"))
        patch.setenv("DVC_GLOBAL_CONFIG_DIR", str(above / "home/.config/dvc"))
        made = smoke.copy(above / "made")
        cache = Repo(str(made)).cache.local.path
    assert {path: path.read_bytes() for path in other.rglob("*") if path.is_file()} == before
    assert Path(cache).is_relative_to(made / ".dvc/cache")
    return made


def test_a_copy_is_a_commit_of_its_own_with_all_files_and_no_results(copy: Path):
    listed = set(smoke.git(copy, "ls-files").split("\n"))
    assert {"dvc.yaml", "params.yaml", "tools/smoke.py", ".dvc/config"} <= listed
    assert not any(name.startswith(smoke.RESULTS) for name in listed)
    assert smoke.git(copy, "rev-list", "--count", "HEAD").strip() == "1"


def test_variables_about_another_repository_reach_no_command(copy: Path, monkeypatch: pytest.MonkeyPatch):
    hostile = {"GIT_DIR": "/x", "GIT_CONFIG_COUNT": "1", "DVC_ROOT": "/x", "DVC_EXP_NAME": "x", "PYTHONSAFEPATH": "1"}
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    assert not hostile.keys() & smoke.environment(copy).keys()


def test_a_stage_that_left_no_record_did_not_run(tmp_path: Path):
    commands = {"split": "split.py", "learn@a-b": "train.py a-b", "page": "page.py"}
    stages = {name: {"cmd": f"python stages/{command}"} for name, command in commands.items()}
    dump_yaml(str(tmp_path / "dvc.lock"), {"stages": stages})
    (tmp_path / "provenance").mkdir()
    for name in ("split", "train-a-b"):
        (tmp_path / f"provenance/{name}.json").touch()
    with pytest.raises(SystemExit, match="error: page did not run in the copy"):
        smoke.require_run(tmp_path)
    (tmp_path / "provenance/page.json").touch()
    smoke.require_run(tmp_path)


def test_a_project_of_another_user_is_copied(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if os.getuid():
        pytest.skip("only root can give files away")
    for path in (copy, *copy.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    monkeypatch.setattr(smoke, "ROOT", copy)
    again = smoke.copy(tmp_path / "again")
    assert smoke.git(again, "ls-files") == smoke.git(copy, "ls-files")


def test_a_mistake_in_params_yaml_ends_before_anything_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "params.yaml").write_text("margin: 1.0\n")
    for name in ("stages", "src"):
        (tmp_path / name).symlink_to(smoke.ROOT / name)
    monkeypatch.setattr(smoke, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["smoke", "--keep", str(tmp_path / "made")])
    with pytest.raises(SystemExit, match=r"error: .*params\.yaml"):
        smoke.main()
    assert not (tmp_path / "made").exists()
