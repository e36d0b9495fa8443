"""How `pytest` and `make test` divide the tests between processes (the options are in pyproject.toml)."""

import os

import pytest

from oneshot.core import environment, processor

# Before a test imports NumPy or TensorFlow. Threads that wait for a busy processor took half of the processor time of
# the tests of the page, and a seventh of that of the ConvNets' tests.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault(processor.THREADS, "1")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Several processes for all tests; for those that are named none but this one, where a debugger works too.

    Two, and three with the tests of the pipeline, which wait for other processes a third of their time.
    """
    if config.args_source != pytest.Config.ArgsSource.TESTPATHS or config.option.keyword:
        return 0
    return 2 if "not pipeline" in config.option.markexpr else 3


def _needs_smoke_run(item: pytest.Item) -> bool:
    return "smoke_runs" in getattr(item, "fixturenames", ())


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep the tests of a file in one process: they share trainings, rendered pages and copies of the small pipeline.

    This hook is called before xdist's own look at the groups, in pytest_collection_modifyitems.
    """
    if not item.get_closest_marker("xdist_group"):
        item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files so that no process waits for another one, and all end together.

    First one file that needs the small pipeline's run, then what takes long beside that run, then the other files that
    need it, and last the short ones.
    """
    waiting = list(dict.fromkeys(item.path for item in items if _needs_smoke_run(item)))
    long = {item.path for item in items if item.get_closest_marker("pipeline")}

    def place(item: pytest.Item) -> int:
        if item.path in waiting:
            return 0 if item.path == waiting[0] else 2
        return 1 if item.path in long else 3

    items.sort(key=place)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that .ci/run uses, so that a slow test is noticed when it comes."""
    parser.addoption("--budget", type=float, metavar="SECONDS", help="fail if a single test takes longer")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that took longer than the budget; what they share with others, their fixtures, does not count."""
    budget = terminalreporter.config.getoption("budget")
    for report in terminalreporter.getreports("passed") if budget else ():
        if report.when == "call" and report.duration > budget:
            terminalreporter.write_line(
                f"{report.nodeid} took {report.duration:.0f} s, above the budget of {budget:g} s"
            )
            terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def same_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that a test runs in this process must not replace it by one of another environment."""
    monkeypatch.setattr(environment, "enter", lambda compute: None)
