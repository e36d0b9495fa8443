"""Create the environment .venv from requirements.lock, so that `.venv/bin/dvc repro` works without activating it.

`make env` calls it with the Python that the environment is to have; it needs nothing but the standard library.
"""

import argparse
import ast
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = Path(".venv")
UV = "uv==0.13.9"
# In the path of the project: what a shell, PATH, or DVC's progress bars take for something else.
_ODD = '"$`\\:{}\n'
# The user's settings of pip and uv that say where packages come from and how they are reached. All others are left out:
# with `target`, `require-hashes` or `constraint`, whatever sets it, no environment could be made.
_PIP = (
    *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert", "client-cert", "proxy"),
    *("timeout", "default-timeout", "retries", "cache-dir", "no-cache-dir", "keyring-provider"),
)
_UV = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INSECURE_HOST", "UV_HTTP_TIMEOUT"),
    *("UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_OFFLINE", "UV_CACHE_DIR", "UV_LINK_MODE", "UV_KEYRING_PROVIDER"),
    *("UV_CONFIG_FILE", "UV_CONCURRENT_"),
)
# DVC starts the stages as `python stages/...`. This line is in a file of site-packages that Python executes at every
# start. It puts this environment's `python` first on the PATH, and the working directory's src/, if it is this
# project's, on the import path after all other packages: an experiment in a temporary folder must import its own copy.
# And it ends an ignored SIGCHLD, as some supervisors leave it to their children, with which Python and so DVC take a
# failed command for a success. One line, since each line that starts with "import" is executed separately.
_START = (
    "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_DFL);"
    " sys.path += [os.path.abspath('src')] if os.path.isdir('src/oneshot') else [];"
    " here = os.path.dirname(sys.executable);"
    " path = os.environ.get('PATH', os.defpath);"
    " os.environ['PATH'] = path if path.split(os.pathsep)[0] == here else here + os.pathsep + path\n"
)


def main() -> None:
    """Create the environment; exits with the status of the first command that fails."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    path = os.getcwd()
    if odd := set(_ODD) & set(path):
        sys.exit(f"error: the path {path!r} has a character that breaks commands, {min(odd)!r}: rename the folder")
    python = str(ENVIRONMENT / "bin/python")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "PYTHON"))}
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], env=kept, check=True)
        # -I: without the user's PYTHONPATH and packages; the settings are read from the variables and from all files.
        listed = [python, "-I", "-m", "pip", "config", "list"]
        pip = pip_variables(subprocess.run(listed, check=True, stdout=subprocess.PIPE, text=True).stdout)
        install = [python, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV]
        subprocess.run(install, env=kept | pip, check=True)
        # Compiled now: where PYTHONDONTWRITEBYTECODE is set, each process would compile TensorFlow again.
        sync = [ENVIRONMENT / "bin/uv", "pip", "sync", "--quiet", "--compile-bytecode", "--python", python]
        variables = kept | uv_variables(os.environ, pip)
        subprocess.run([*sync, "--require-hashes", "requirements.lock"], env=variables, check=True)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: run make env again")
    places = {"base": str(ENVIRONMENT), "platbase": str(ENVIRONMENT)}
    Path(sysconfig.get_path("purelib", "venv", places), "oneshot.pth").write_text(_START)


def pip_variables(listed: str) -> dict[str, str]:
    """Environment variables with those settings of `pip config list` that are kept, and that turn off all files."""
    found = {}
    # In the order of their weight: a command's own settings before the global ones, and variables before all.
    for line in sorted(listed.splitlines(), key=lambda line: (line.startswith(":env:"), line.startswith("install"))):
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in ("global", "install", ":env:") and option in _PIP:
            found[f"PIP_{option.upper().replace('-', '_')}"] = ast.literal_eval(value)
    return found | {"PIP_CONFIG_FILE": os.devnull}


def uv_variables(environment: Mapping[str, str], pip: Mapping[str, str]) -> dict[str, str]:
    """Those variables of uv that are kept; pip's index is uv's if it has none."""
    index = {"UV_DEFAULT_INDEX": pip["PIP_INDEX_URL"]} if "PIP_INDEX_URL" in pip else {}
    return index | {name: value for name, value in environment.items() if name.startswith(_UV)}


if __name__ == "__main__":
    main()
