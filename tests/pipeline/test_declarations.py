"""dvc.yaml says what the stage scripts do: the parameters they read, the modules they import, the data they use."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.dependency import ParamsDependency
from dvc.repo import Repo
from dvc.stage import PipelineStage

from oneshot import params

ROOT = Path(__file__).parents[2]

with Repo(str(ROOT)) as _repo:
    STAGES = sorted(_repo.index.stages, key=lambda stage: stage.name)
    PRODUCED = {out.def_path for stage in STAGES for out in stage.outs}
# What a stage reads that is neither code nor the output of a stage: the page's own files and the tables of docs/.
IN_GIT = {
    "report": {
        *(f"src/oneshot/report/page.{kind}" for kind in ("css", "html", "js")),
        "docs/minutes.csv",
        "docs/seeds.csv",
        "docs/sweep.csv",
    }
}
each_stage = pytest.mark.parametrize("stage", STAGES, ids=[stage.name for stage in STAGES])


def script(stage: PipelineStage) -> str:
    """The path of a stage's script, as its command names it."""
    (name,) = re.findall(r"stages/\w+\.py", stage.cmd)
    return name


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted name of all that a file imports, wherever in it: for `from a import b`, both a and a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: line {node.lineno}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def local_files(name: str, library: Path) -> Iterator[Path]:
    """Yield the files of the library that importing a dotted name runs, packages above it included."""
    place = library
    for part in name.split("."):
        place /= part
        yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())


def runs_nothing(path: Path) -> bool:
    """Whether a file holds no more than a docstring, so that an edit of it changes no result."""
    return not path.read_text() or [type(node) for node in ast.parse(path.read_text()).body] == [ast.Expr]


def closure(path: Path, root: Path = ROOT) -> set[str]:
    """A script and all files of src/ that it imports, directly or through others, by path from the root."""
    found, ahead = set(), [path]
    while ahead:
        file = ahead.pop()
        if file not in found and not runs_nothing(file):
            found.add(file)
            ahead += [local for name in imports(file) for local in local_files(name, root / "src")]
    return {file.relative_to(root).as_posix() for file in found}


def test_every_script_is_a_stage_and_every_stage_has_one():
    assert {script(stage) for stage in STAGES} == {f"stages/{path.name}" for path in (ROOT / "stages").glob("*.py")}
    assert all(stage.name.split("@")[0] == Path(script(stage)).stem for stage in STAGES)


@each_stage
def test_parameters_are_the_leaves_that_the_script_reads(stage: PipelineStage):
    schema = params.stage_schemas(ROOT)[Path(script(stage)).stem]
    declared = [key for dep in stage.deps if isinstance(dep, ParamsDependency) for key in dep.params]
    of_another_net = {
        "train_convnet@10-class": {"convnet.epochs.six_class"},
        "train_convnet@6-class": {"convnet.epochs.ten_class"},
    }
    assert sorted(declared) == sorted(set(params.leaves(schema)) - of_another_net.get(stage.name, set()))


def test_the_parameters_of_all_stages_are_the_leaves_of_the_file():
    read = {leaf for schema in params.stage_schemas(ROOT).values() for leaf in params.leaves(schema)}
    assert read == set(params._keys(params.read(ROOT)))


@each_stage
def test_code_dependencies_are_the_script_and_what_it_imports(stage: PipelineStage):
    code = {dep.def_path for dep in stage.deps if dep.def_path.endswith(".py")}
    assert code == closure(ROOT / script(stage))


@each_stage
def test_data_dependencies_are_outputs_as_declared(stage: PipelineStage):
    """A file inside a declared folder would keep `dvc repro --allow-missing` from following the hashes."""
    others = {
        dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency) and not dep.def_path.endswith(".py")
    }
    assert others - PRODUCED == IN_GIT.get(stage.name, set())


def test_files_beside_the_modules_are_dependencies():
    beside = {path for path in (ROOT / "src/oneshot").rglob("*.*") if path.suffix not in (".py", ".pyc")}
    assert {path.relative_to(ROOT).as_posix() for path in beside} <= set().union(*IN_GIT.values())


def test_the_page_depends_on_every_result():
    (page,) = (stage for stage in STAGES if stage.name == "report")
    used = {dep.def_path for dep in page.deps}
    tables = {
        path for path in PRODUCED if path.startswith("metrics/") or path.endswith((".tsv", "pca.csv", "tsne.csv"))
    }
    assert tables - {"metrics/split.json"} <= used


@each_stage
def test_run_cache_stays_on(stage: PipelineStage):
    """DVC keeps no run of a stage without dependencies, or with an uncached output that is no metric and no plot."""
    assert stage.deps
    for out in stage.outs:
        assert out.use_cache or out.metric or out.plot
        assert not out.persist


@each_stage
def test_results_are_in_git_and_data_is_not(stage: PipelineStage):
    for out in stage.outs:
        assert out.use_cache != out.def_path.startswith(("metrics/", "plots/"))


def test_no_module_is_imported_by_a_computed_name():
    """Such an import would escape closure(); the one that is allowed reads the stages' parameter schemas."""
    dynamic = re.compile(r"__import__|import_module|spec_from_file_location|runpy")
    files = [*(ROOT / "stages").glob("*.py"), *(ROOT / "src").rglob("*.py")]
    assert [path.name for path in files if dynamic.search(path.read_text())] == ["params.py"]


def test_closure_finds_imports_in_functions_and_packages(tmp_path: Path):
    for name, text in {
        "stages/s.py": "def main():\n    from a.b import c, f\n",
        "src/a/__init__.py": "'''Runs nothing.'''\n",
        "src/a/b/__init__.py": "import a.d\n",
        "src/a/b/c.py": "import os, numpy\n",
        "src/a/d.py": "from a import e\n",
        "src/a/e.py": "x = 1\n",
        "src/a/unused.py": "x = 1\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    expected = {"stages/s.py", "src/a/b/__init__.py", "src/a/b/c.py", "src/a/d.py", "src/a/e.py"}
    assert closure(tmp_path / "stages/s.py", tmp_path) == expected
