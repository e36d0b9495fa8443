"""The page of made-up results, which many tests read."""

import pytest

from oneshot.page.contents import contents
from oneshot.page.render import render
from tests.page.made_up import made_up


@pytest.fixture(scope="session")
def page() -> bytes:
    return render(contents(made_up()))
