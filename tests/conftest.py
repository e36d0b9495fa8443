"""How `make test` divides the tests between two processes: `pytest -n 2 --dist loadgroup`."""

import pytest

from oneshot.core import environment


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep the tests that need a run of the small pipeline in one process, so that only one process runs it.

    This hook is called before xdist's own look at the groups, in pytest_collection_modifyitems.
    """
    if "smoke_runs" in item.fixturenames:
        item.add_marker(pytest.mark.xdist_group("smoke"))


@pytest.fixture(autouse=True)
def same_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that a test runs in this process must not replace it by one of another environment."""
    monkeypatch.setattr(environment, "enter", lambda compute: None)
