"""Whatever words a tool gets, in a folder without a project: it works, or ends with one sentence and no traceback."""

import contextlib
import io
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools import check_stored, cluster, compare_runs, experiments, job, repro, results, smoke

OPTIONS = (
    "-S",
    "--set",
    "--repository",
    "--revision",
    "--scratch",
    "--against",
    "--keep",
    "--stored",
    "--record",
    "--gpu",
    "--jobs",
    "--check",
    "--",
)
VALUES = st.sampled_from(
    ["", " ", "-", "HEAD", "--", "=", "margin=", "x/y", "a b", "ü", "..", "/", "~", "*", "-1", "\n"]
)
WORDS = st.lists(st.one_of(st.sampled_from(OPTIONS), VALUES, st.text(max_size=4)), max_size=5)
TOOLS = (check_stored, cluster, compare_runs, experiments, job, repro, results, smoke)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.__name__.removeprefix("tools."))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_any_words_end_in_a_status_and_no_traceback(tool, words: list[str], tmp_path: Path):
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(io.StringIO()) as said:
        patch.chdir(tmp_path)
        patch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        patch.setattr(sys, "argv", ["tool", *words])
        patch.setattr(smoke, "ROOT", tmp_path)
        for module, name in (
            (smoke, "run"),
            (compare_runs, "twice"),
            (compare_runs, "stored"),
            (compare_runs, "record"),
            (compare_runs, "on_gpu"),
        ):
            patch.setattr(module, name, lambda *given, **options: [])
        with pytest.raises(SystemExit) as raised:
            tool.main()
            raise SystemExit(0)
    code = raised.value.code
    # A sentence is a status of 1; argparse prints its own, after the usage.
    assert code in (0, 1, 2, None) or (isinstance(code, str) and len(code.strip().splitlines()) == 1)
    assert "Traceback" not in said.getvalue()
    assert list(tmp_path.iterdir()) == []
