"""dvc.yaml declares what the stage scripts do: the parameters they read, the modules they import, the data they use."""

import ast
import functools
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.dependency import ParamsDependency
from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc.utils.serialize import load_yaml

from oneshot.core import params
from oneshot.nets.table import DRAWINGS, PHOTOGRAPHS

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "src/oneshot"

with Repo(str(ROOT)) as _repo:
    # Not those of a pipeline of the user's own, in a folder of its own.
    STAGES = sorted(
        (stage for stage in _repo.index.stages if stage.path_in_repo == "dvc.yaml"), key=lambda stage: stage.name
    )
    PRODUCED = {out.def_path: out for stage in STAGES for out in stage.outs}
# Dependencies that are neither code nor the output of a stage.
IN_GIT = {
    "check_params": {"params.yaml"},
    "page": {"docs/studies.json"},
}
# An output in Git that is not a plot switches off a stage's run cache: these stages take a few seconds.
WITHOUT_RUN_CACHE = {
    "draw_pictures",
    "page",
    *(f"export_convnet@{net}" for net in PHOTOGRAPHS),
    *(f"export_digit_net@{net}" for net in DRAWINGS),
}
# What each ConvNet has of its own.
OWN = ("resolution_schedule", "feature_norm_penalty", "dense_classification_loss")
# A stage reads only what is its own net's, but its schema has both nets'.
OF_ANOTHER_NET = {
    "train_convnet@10-class": {f"convnet.{name}.six_class" for name in OWN},
    **{f"export_convnet@{net}": {"mnist.seen_digits", "mnist.unseen_digits"} for net in PHOTOGRAPHS},
    **{f"export_digit_net@{net}": {"cifar10.unseen_classes"} for net in DRAWINGS},
    "train_convnet@6-class": {f"convnet.{name}.ten_class" for name in OWN},
}

# Scripts whose stages have other names: the encoders for photographs are too large for Git.
NAMES = {"export_encoder": ["export_convnet", "export_digit_net"]}

NETS = ("convnet", "siamese", "dense_embedding")
# Package: the others that it may import.
MAY_IMPORT = {
    "core": set(),
    "nets": set(),
    **{package: {"core"} for package in ("datasets", "splits", "download", "evaluation", "plotting")},
    "training": {"core", "nets"},
    **{net: {"core", "nets", "training"} for net in NETS},
    "encoders": {"core", "evaluation", "nets"},
    "page": {"core", "datasets", "splits", "training", "evaluation", "plotting", "encoders", "nets", *NETS},
    "use": {"core", "evaluation", "encoders", "nets"},
}

PACKAGES = sorted(path.parent.name for path in LIBRARY.glob("*/__init__.py"))
SCRIPTS = sorted(path.stem for path in (ROOT / "stages").glob("*.py"))
SETTINGS = sorted(path.relative_to(ROOT).as_posix() for path in LIBRARY.rglob("params.py"))
each_stage = pytest.mark.parametrize("stage", STAGES, ids=[stage.name for stage in STAGES])


def script(stage: PipelineStage) -> str:
    """The path of a stage's script, as its command names it."""
    (name,) = re.findall(r"stages/\w+\.py", stage.cmd)
    return name


def declared(stage: PipelineStage) -> set[str]:
    """The paths of all dependencies of a stage, except parameters."""
    return {dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency)}


def is_code(path: str) -> bool:
    return path.startswith(("src/", "stages/"))


@functools.cache
def parsed(path: Path) -> ast.Module:
    """A file's syntax tree: those of the library are looked at for each stage."""
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imports(path: Path) -> tuple[str, ...]:
    """The dotted name of everything that a file imports, even in a function: for `from a import b`, a and a.b."""
    names: list[str] = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level and node.module, f"{path}: line {node.lineno}: relative import"
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


def local_files(name: str, library: Path) -> Iterator[Path]:
    """Yield the files of the library that importing a dotted name runs, packages above it included."""
    place = library
    for part in name.split("."):
        place /= part
        # What the library's own __init__.py names is loaded by users alone, when they ask for it.
        places = (place.with_suffix(".py"), place / "__init__.py") if part != "oneshot" else ()
        yield from (file for file in places if file.is_file())


def runs_nothing(path: Path) -> bool:
    """Whether a file has only a docstring, so that an edit of it changes no result."""
    return [type(node) for node in parsed(path).body] in ([], [ast.Expr])


def closure(path: Path, root: Path = ROOT) -> set[str]:
    """A script and all files of src/ that it imports, directly or through others, by path from the root."""
    found, ahead = set(), [path]
    while ahead:
        file = ahead.pop()
        if file not in found and not runs_nothing(file):
            found.add(file)
            ahead += [local for name in imports(file) for local in local_files(name, root / "src")]
    return {file.relative_to(root).as_posix() for file in found}


def code_to_declare(path: Path, root: Path = ROOT) -> set[str]:
    """The shortest exact list for a script: itself, and packages, or single modules if it imports no others.

    core is always declared as a package: every stage needs nearly all of it.
    """
    code, by_package = {path.relative_to(root).as_posix()}, defaultdict(set)
    for file in closure(path, root) - code:
        by_package["/".join(file.split("/")[:3])].add(file)
    for package, files in by_package.items():
        modules = {file.relative_to(root).as_posix() for file in (root / package).rglob("*.py")}
        all_of_it = files >= {module for module in modules if not runs_nothing(root / module)}
        code |= {package} if len(files) > 1 or all_of_it or package == "src/oneshot/core" else files
    return code


def groups(tree: dict, prefix: str = "") -> Iterator[str]:
    """Yield the dotted name of every group of params.yaml, a group before the groups in it."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield f"{prefix}{name}"
            yield from groups(value, f"{prefix}{name}.")


def below(key: str, leaves: set[str]) -> set[str]:
    """The leaves that a declared key stands for: itself, or those of its group."""
    return {leaf for leaf in leaves if leaf == key or leaf.startswith(f"{key}.")}


def keys_to_declare(read: set[str], tree: dict) -> set[str]:
    """The shortest exact list of keys for the leaves that a stage reads: a group if it reads all of it."""
    keys, ahead, leaves = set(), set(read), set(params._keys(tree))
    for group in groups(tree):
        if below(group, leaves) <= ahead:
            keys.add(group)
            ahead -= below(group, leaves)
    return keys | ahead


def test_every_script_is_a_stage_and_every_stage_has_one():
    assert {script(stage) for stage in STAGES} == {f"stages/{name}.py" for name in SCRIPTS}
    assert all(
        stage.name.split("@")[0] in NAMES.get(Path(script(stage)).stem, [Path(script(stage)).stem]) for stage in STAGES
    )


def test_the_pipeline_reads_like_a_table_of_contents():
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) <= 220
    assert [stage.name for stage in STAGES if not stage.desc] == []


@each_stage
def test_parameters_are_what_the_script_reads_by_group_where_it_reads_all_of_it(stage: PipelineStage):
    tree, schema = params.read(ROOT), params.stage_schemas(ROOT)[Path(script(stage)).stem]
    read = set(params.leaves(schema)) - OF_ANOTHER_NET.get(stage.name, set())
    listed = [key for dep in stage.deps if isinstance(dep, ParamsDependency) for key in dep.params]
    assert set().union(*(below(key, set(params._keys(tree))) for key in listed)) == read
    assert sorted(listed) == sorted(keys_to_declare(read, tree))


def test_the_parameters_of_all_stages_are_the_leaves_of_the_file():
    read = {leaf for schema in params.stage_schemas(ROOT).values() for leaf in params.leaves(schema)}
    assert read == set(params._keys(params.read(ROOT)))


@each_stage
def test_code_dependencies_hold_all_that_the_script_imports(stage: PipelineStage):
    code = {path for path in declared(stage) if is_code(path)}
    missing = {file for file in closure(ROOT / script(stage)) if file not in code and not _inside(file, code)}
    assert missing == set()


@each_stage
def test_no_code_dependency_is_wider_than_needed(stage: PipelineStage):
    code = {path for path in declared(stage) if is_code(path)}
    assert code == code_to_declare(ROOT / script(stage))


@each_stage
def test_data_dependencies_are_outputs_as_declared(stage: PipelineStage):
    """A file inside a declared folder would keep `dvc repro --allow-missing` from following the hashes.

    Declaring a folder that holds several outputs is fine if all of them, and nothing else in it, are in Git.
    """
    others = {path for path in declared(stage) if not is_code(path)} - PRODUCED.keys() - IN_GIT.get(stage.name, set())
    for folder in others:
        outputs = [path for path in PRODUCED if _inside(path, {folder})]
        assert len(outputs) > 1
        assert not any(PRODUCED[path].use_cache for path in outputs)
        files = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert {file for file in files if file not in outputs and not _inside(file, outputs)} == set()


def test_the_recipe_for_own_classes_declares_its_parameters_and_needs_nothing_of_this_repository():
    """A dependency on an output of the pipeline would start trainings."""
    stages = load_yaml(str(ROOT / "recipes/own/pipeline.yaml"))["stages"]
    assert all(dep.startswith("own/") for stage in stages.values() for dep in stage.get("deps", []))
    listed = {key for stage in stages.values() for group in stage["params"] for key in group["own/params.yaml"]}
    assert listed == set(load_yaml(str(ROOT / "recipes/own/params.yaml")))


def test_files_that_no_stage_makes_are_where_dvc_looks_for_them():
    assert all((ROOT / path).exists() for path in set().union(*IN_GIT.values()))


def test_files_beside_the_modules_are_inside_a_package_that_a_stage_declares():
    beside = {path for path in LIBRARY.rglob("*.*") if path.suffix not in (".py", ".pyc", ".typed")}
    packages = {path for stage in STAGES for path in declared(stage) if (ROOT / path).is_dir() and is_code(path)}
    assert beside and all(_inside(path.relative_to(ROOT).as_posix(), packages) for path in beside)


def test_the_page_depends_on_every_result():
    (page,) = (stage for stage in STAGES if stage.name == "page")
    tables = {path for path in PRODUCED if path.startswith("metrics/") or path.endswith(".csv")}
    used = declared(page)
    assert {path for path in tables if path not in used and not _inside(path, used)} == set()


@each_stage
def test_run_cache_stays_on_but_for_pictures_exports_and_page(stage: PipelineStage):
    """DVC caches no run of a stage that has no dependencies, or an uncached output other than metrics and plots."""
    assert stage.deps
    assert all(out.use_cache or out.metric or out.plot for out in stage.outs) == (stage.name not in WITHOUT_RUN_CACHE)
    assert not any(out.persist for out in stage.outs)


@each_stage
def test_results_are_in_git_and_data_is_not(stage: PipelineStage):
    for out in stage.outs:
        in_git = ("metrics/", "plots/", *(f"exports/{net}." for net in DRAWINGS))
        record = out.def_path.startswith("exports/") and out.def_path.endswith(".json")
        assert out.use_cache != (out.def_path.startswith(in_git) or record)


def test_no_module_is_imported_by_a_computed_name():
    """Such an import would escape closure(); allowed are the library's own names and the stages' parameter schemas."""
    dynamic = re.compile(r"__import__|import_module|spec_from_file_location|runpy")
    files = [*(ROOT / "stages").glob("*.py"), *(ROOT / "src").rglob("*.py")]
    found = [path.relative_to(ROOT).as_posix() for path in files if dynamic.search(path.read_text())]
    assert sorted(found) == ["src/oneshot/__init__.py", "src/oneshot/core/params.py"]


def test_every_package_has_its_place_in_the_order_of_imports():
    assert {path.name for path in LIBRARY.glob("*.py")} == {"__init__.py", "__main__.py"}
    assert sorted(MAY_IMPORT) == PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str):
    """core, then the packages of one concern each, then the nets, then the page; of a net the page reads its params."""
    used = {name for path in (LIBRARY / package).rglob("*.py") for name in imports(path)}
    assert {name for name in used if name.split(".")[0] in ("stages", "tools", "tests")} == set()
    others = {tuple(name.split(".")[1:3]) for name in used if name.startswith("oneshot.")}
    assert {other[0] for other in others} - {package} <= MAY_IMPORT[package]
    if package == "page":
        assert {other[1:] for other in others if other[0] in NETS} <= {(), ("params",)}


@pytest.mark.parametrize("net", NETS)
def test_every_net_has_the_same_files(net: str):
    assert {"params.py", "net.py", "training.py"} <= {path.name for path in (LIBRARY / net).iterdir()}


@pytest.mark.parametrize("path", [path for path in SETTINGS if "/core/" not in path])
def test_parameter_schemas_import_next_to_nothing(path: str):
    used = {name for name in imports(ROOT / path) if not name.startswith("oneshot.core.")}
    if path == "src/oneshot/evaluation/params.py":
        used -= {name for name in used if name.startswith("oneshot.evaluation.methods")}
        used |= set(imports(LIBRARY / "evaluation/methods.py"))
    assert {name.split(".")[0] for name in used} <= {"collections", "math", "pydantic", "typing"}


def test_parameters_are_read_without_numpy_and_tensorflow():
    """Both read the user's settings when they are imported, and a mistake in params.yaml is to be reported at once."""
    program = """
import runpy, sys
for path in sys.argv[1:]:
    runpy.run_path(path, run_name="loaded")
    if found := {"numpy", "tensorflow", "keras"} & set(sys.modules):
        sys.exit(f"{path} imports {found}")
"""
    paths = [*SETTINGS, *(f"stages/{name}.py" for name in SCRIPTS)]
    done = subprocess.run([sys.executable, "-c", program, *paths], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


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
        _write(tmp_path / name, text)
    expected = {"stages/s.py", "src/a/b/__init__.py", "src/a/b/c.py", "src/a/d.py", "src/a/e.py"}
    assert closure(tmp_path / "stages/s.py", tmp_path) == expected


def test_a_package_is_declared_for_several_modules_or_for_all_of_it_and_else_a_module(tmp_path: Path):
    for name, text in {
        "stages/s.py": "from o.core import x\nfrom o.many import a, b\nfrom o.one.a import f\nimport o.whole.a\n",
        **{f"src/o/{package}/__init__.py": "" for package in ("core", "many", "one", "whole", "unused")},
        **{f"src/o/many/{module}.py": "x = 1\n" for module in "abc"},
        **{f"src/o/one/{module}.py": "x = 1\n" for module in "ab"},
        "src/o/whole/a.py": "x = 1\n",
        "src/o/unused/a.py": "x = 1\n",
        "src/o/core/x.py": "x = 1\n",
    }.items():
        _write(tmp_path / name, text)
    expected = {"stages/s.py", "src/o/core", "src/o/many", "src/o/one/a.py", "src/o/whole"}
    assert code_to_declare(tmp_path / "stages/s.py", tmp_path) == expected


def test_a_group_is_declared_where_all_of_it_is_read():
    tree = {"a": 1, "g": {"x": 1, "h": {"y": 1, "z": [2]}}, "k": {"u": 1, "v": 2}}
    assert keys_to_declare({"a", "g.x", "g.h.y", "g.h.z", "k.v"}, tree) == {"a", "g", "k.v"}
    assert keys_to_declare({"g.h.y", "g.h.z"}, tree) == {"g.h"}
    assert keys_to_declare(set(), tree) == set()


def _inside(path: str, folders) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
