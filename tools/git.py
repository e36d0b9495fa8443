"""Git as the tools run it: in the working directory's repository, whatever a caller's variables say."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# Git's variables that say who the user is and how a remote is reached. The others are about one repository, as a hook
# gets them (GIT_DIR, GIT_INDEX_FILE), or about what git prints (GIT_TRACE).
_KEPT = (
    *("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG_", "GIT_SSH", "GIT_SSL_", "GIT_HTTP_", "GIT_PROXY_", "GIT_ASKPASS"),
    *("GIT_EXEC_PATH", "GIT_TERMINAL_PROMPT", "GIT_ALLOW_PROTOCOL", "GIT_CEILING_DIRECTORIES"),
)


def variables() -> dict[str, str]:
    """The environment without the variables that lead git to another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name.startswith(_KEPT)}


def git(
    *words: str, folder: str | Path = ".", options: Sequence[str] = (), env: Mapping | None = None, refusal: str = ""
) -> str:
    """Run git in a folder; return what it prints. Exits with one sentence if it fails, or if that is no repository.

    refusal: that sentence, where git fails by a mistake of the user.
    """
    how = {"cwd": folder, "env": env or variables(), "check": True, "capture_output": True}
    try:
        return subprocess.run(["git", *options, *words], text=True, errors="surrogateescape", **how).stdout
    except FileNotFoundError:
        sys.exit("error: git is missing, with which results and experiments are kept: install it")
    except subprocess.CalledProcessError as error:
        if refusal:
            sys.exit(f"error: {refusal}")
        # What git says last; before that there may be traces, or complaints of the dynamic linker.
        said = (error.stderr.strip() or f"status {error.returncode}").splitlines()[-1]
        sys.exit(f"error: `git {words[0]}` failed, but this needs the project as a clone by Git: {said}")
