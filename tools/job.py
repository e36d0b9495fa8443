"""Run one experiment in a scratch clone of the project, and push it with its run cache: one job of many.

Jobs share nothing but the Git remote and the DVC remote, so any number may run at once, on any machines: as a Slurm
array, in a GitHub matrix, by hand, or on Dask (tools/cluster.py). A job whose experiment is at the remote does nothing.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from dvc.config import Config
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import load_yaml

from tools.command import filled
from tools.git import git, variables

TRIES, PAUSE = 6, 5.0  # if a remote is away: 5 s, then twice as long each time, 155 s in all
SHOWN = 20  # lines of the log in an error
# When its input ends, whoever started the guard is done or dead: what still runs in its group is ended, and the scratch
# folder is removed. A killed worker would otherwise leave a training behind that nobody waits for.
GUARD = """
import os, shutil, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
done = sys.stdin.read()
if not done:
    os.killpg(0, signal.SIGTERM)
    time.sleep(2)
shutil.rmtree(sys.argv[1], ignore_errors=True)
if not done:
    os.killpg(0, signal.SIGKILL)
"""

# `dvc push` leaves out what is kept in Git (`cache: false`), without which no other machine can take a stage from the
# run cache.
_PUSH_UNCACHED = """
from dvc.repo import Repo
with Repo() as repo:
    outputs = [out for stage in repo.index.stages for out in stage.outs if out.hash_info and not out.use_cache]
    found = {out.hash_info for out in outputs if repo.cache.local.exists(out.hash_info.value)}
    raise SystemExit(bool(repo.cloud.push(found).failed))
"""


def main() -> None:
    """Run the job that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", type=filled, help="name of the experiment")
    parser.add_argument(
        "targets", type=filled, nargs="*", help="stages to reproduce, with what they depend on (default: all)"
    )
    parser.add_argument(
        "-S", "--set", action="append", type=filled, default=[], metavar="KEY=VALUE", help="as in dvc exp run"
    )
    parser.add_argument(
        "--repository", type=filled, metavar="URL", help="Git remote of the project (default: this clone's origin)"
    )
    parser.add_argument("--revision", type=filled, metavar="REV", help="what to run (default: this clone's HEAD)")
    parser.add_argument(
        "--scratch", type=filled, metavar="FOLDER", help="place of the scratch clone (default: $TMPDIR or /tmp)"
    )
    job = parser.parse_intermixed_args()
    try:
        repository = job.repository or origin()
        options = {"place": prefix(), "echo": True}
        ref, _ = run(job.name, job.set, job.targets, repository, job.revision or head(), job.scratch, **options)
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: what the job did is lost")
    print(f"job: {job.name} is at {repository} as {ref}")


def origin(folder: str | Path = ".") -> str:
    """Return the address of a clone's origin, absolute; raises RuntimeError if it has none."""
    if "origin" not in git("remote", folder=folder).split():
        raise RuntimeError(
            "this clone has no Git remote named origin, from which jobs get the project and to which they push: add one"
            " with `git remote add origin URL` (a folder made by `git init --bare` will do), and push to it"
        )
    address = git("remote", "get-url", "origin", folder=folder).strip()
    place = Path(git("rev-parse", "--show-toplevel", folder=folder).strip(), address)
    return str(place.resolve()) if place.is_dir() else address


def head(folder: str | Path = ".") -> str:
    """Return the full hash of a clone's current commit."""
    return git("rev-parse", "HEAD", folder=folder).strip()


def prefix() -> str:
    """Return where in its repository the project lies, such as "nets/"; "" if it is the whole repository."""
    return git("rev-parse", "--show-prefix").strip()


def run(
    name: str,
    settings: Sequence[str],
    targets: Sequence[str],
    repository: str,
    revision: str,
    scratch: str | Path | None = None,
    *,
    place: str = "",
    echo: bool = False,
    pause: float = PAUSE,
) -> tuple[str, str]:
    """Run one experiment and push it; return its Git reference and its commit at the remote.

    settings: such as margin=2; targets: stages, none means all; repository: address of the Git remote; scratch: the
    folder for the clone; place: the project's folder in its repository; echo: print what the commands print; pause:
    seconds before a remote that is away is tried again. Raises RuntimeError with a sentence, and the end of the log, if
    the experiment fails.
    """
    with _scratch(scratch) as (folder, group):
        project = folder / "project"
        shell = _Shell(project, folder, group, echo, pause)
        # Whatever the user calls a remote, and whatever hooks and signatures he has for his own commits.
        words = ["--quiet", "--no-checkout", "--origin=origin", "--config=core.hooksPath=/dev/null"]
        words += ["--config=commit.gpgSign=false", "--config=push.gpgSign=false", "--", repository, str(project)]
        shell.patiently(f"clone {repository}", "git", "clone", *words)
        code, baseline = shell.run("git", "rev-parse", "--verify", "--end-of-options", revision + "^{commit}")
        if code:
            raise RuntimeError(f"the revision {revision} is not at {repository}: push it first")
        shell.must("git", "checkout", "--quiet", "--detach", baseline)
        if shell.run("git", "config", "user.email")[0]:  # DVC commits the experiment in somebody's name
            shell.must("git", "config", "user.name", "job")
            shell.must("git", "config", "user.email", "job@localhost")
        shell.project = project = project / place
        if not (project / "dvc.yaml").exists() or not (project / ".dvc").exists():
            where = f"the folder {place} of " if place else ""
            raise RuntimeError(f"{where}{repository} is no DVC project: it has no dvc.yaml or no .dvc at {revision}")
        if not Config(str(project / ".dvc"))["core"].get("remote"):
            raise RuntimeError(
                "the project has no default DVC remote, to which jobs push results: add one with `dvc remote add"
                " --default NAME URL`, commit .dvc/config and push"
            )
        ref = f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}"
        _check(shell, ref, settings, targets, baseline)
        commit = _at_remote(shell, ref, settings, targets, baseline)
        if commit:
            return ref, commit
        words = ["--pull", "--allow-missing", "--name", name, *(f"--set-param={value}" for value in settings)]
        shell.patiently(f"run the experiment {name}", *_dvc("exp", "run", *words, *targets))
        # The experiment comes last: if it is at the remote, then so is everything else.
        shell.patiently("push results and run cache", *_dvc("push", "--quiet", "--run-cache"))
        shell.patiently("push metrics and plots", sys.executable, "-c", _PUSH_UNCACHED)
        # What `dvc exp push` does, but by the git that cloned, and only if nothing is there: another job may have
        # pushed the same experiment in the meantime, and then that one stays.
        push = ("git", "push", "--quiet", f"--force-with-lease={ref}:", "origin", f"{ref}:{ref}")
        shell.patiently(f"push the experiment {name}", *push, unless="stale info")
        commit = _at_remote(shell, ref, settings, targets, baseline)
        if not commit:
            raise RuntimeError(f"the experiment {name} is not at {repository} after it was pushed{shell.ending()}")
        return ref, commit


def _check(shell: "_Shell", ref: str, settings: Sequence[str], targets: Sequence[str], baseline: str) -> None:
    """Raise RuntimeError if dvc will refuse a name, a setting or a target, since a failure of dvc is tried again."""
    name = ref.rpartition("/")[2]
    # A name with a slash is a reference to Git, but not to DVC.
    if not name or ref.count("/") != 4 or shell.run("git", "check-ref-format", ref)[0]:
        raise RuntimeError(f"{ref.split('/', 4)[-1]!r} cannot be the name of an experiment: use letters, digits and -")
    try:
        apply_overrides(shell.project / "params.yaml", list(settings))
    except Exception as error:  # of DVC and of several libraries below it
        reason = str(error.__cause__ or error).strip().partition("\n")[0]
        raise RuntimeError(f"{' '.join(settings)} cannot be set in params.yaml: {reason}") from None
    shell.must("git", "checkout", "--quiet", "--force", baseline)
    listed = shell.must(*_dvc("stage", "list", "--name-only")).split()
    stages = {*listed, *(name.partition("@")[0] for name in listed)}
    for target in targets:
        if target not in stages and not (shell.project / target.partition(":")[0]).exists():
            raise RuntimeError(f"{target} is no stage of dvc.yaml")


def _at_remote(shell: "_Shell", ref: str, settings: Sequence[str], targets: Sequence[str], baseline: str) -> str | None:
    """Return the commit of an experiment at the remote, if it is there.

    Raises RuntimeError if it has other parameters, or if it did not run all targets.
    """
    found = shell.patiently("look for the experiment", "git", "ls-remote", "origin", ref)
    commit = next((line.split()[0] for line in found.splitlines() if line.endswith(f"\t{ref}")), None)
    if commit is None or commit == shell.run("git", "rev-parse", "--quiet", "--verify", ref)[1]:
        return commit
    parameters = shell.project / "params.yaml"
    shell.must("git", "checkout", "--quiet", "--force", baseline)
    apply_overrides(parameters, list(settings))
    wanted = load_yaml(str(parameters))
    shell.patiently("get the experiment", "git", "fetch", "--quiet", "origin", ref)
    shell.must("git", "checkout", "--quiet", "--force", commit)
    same = load_yaml(str(parameters)) == wanted
    complete = same and "Running stage" not in shell.must(*_dvc("repro", "--dry", "--allow-missing", *targets))
    shell.must("git", "checkout", "--quiet", "--force", baseline)
    if not complete:
        how = "did not run all of these stages" if same else "has other parameters"
        name = ref.rpartition("/")[2]
        raise RuntimeError(
            f"an experiment {name} of this revision is already at the remote, and {how}: choose another name, or remove"
            f" that one with `dvc exp remove -g origin {name}`"
        )
    return commit


def _dvc(*words: str) -> tuple[str, ...]:
    # Not a constant, which would be sent to a worker with the path of this machine's Python.
    return (sys.executable, "-m", "dvc", *words)


class _Shell:
    """Runs commands in a scratch clone, and keeps the end of what they print."""

    def __init__(self, project: Path, folder: Path, group: int, echo: bool, pause: float):
        """project: the clone; folder: the scratch folder it is in; group: process group of the commands."""
        self.project, self._folder, self._group, self._echo, self._pause = project, folder, group, echo, pause
        self._log: deque[str] = deque(maxlen=SHOWN)
        self.errors = ""
        # This Python and the clone's library; nobody is asked for a password; nothing is left in the system's caches;
        # messages in English.
        self._variables = variables() | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(project / "src"),
            "PYTHONSAFEPATH": "",
            "GIT_TERMINAL_PROMPT": "0",
            "DVC_SITE_CACHE_DIR": str(folder / "site"),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *command: str) -> tuple[int, str]:
        """Run a command; return its status and what it printed on standard output; `errors` is what it printed there.

        Apart: what the dynamic linker or a trace writes to standard error is no commit.
        """
        printed = []
        with tempfile.TemporaryFile("w+", errors="replace") as errors:
            process = subprocess.Popen(
                command,
                cwd=self.project if self.project.exists() else self._folder,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                errors="replace",
                process_group=self._group,
            )
            assert process.stdout is not None
            for line in process.stdout:
                printed.append(line)
                if self._echo:
                    print(line, end="", flush=True)
            code = process.wait()
            errors.seek(0)
            self.errors = errors.read()
        if self._echo and self.errors:
            print(self.errors, file=sys.stderr, flush=True)
        self._log.extend(line for line in [*"".join(printed).splitlines(), *self.errors.splitlines()] if line.strip())
        return code, "".join(printed).strip()

    def must(self, *command: str) -> str:
        """Run a command that has to succeed; return what it printed."""
        code, output = self.run(*command)
        if code:
            raise RuntimeError(f"`{' '.join(command)}` ended with status {code}{self.ending()}")
        return output

    def patiently(self, purpose: str, *command: str, unless: str | None = None) -> str:
        """Run a command that needs a remote, again after a pause if it fails; return what it printed.

        A stage that fails is not repeated. unless: a failure that prints this is none.
        """
        for attempt in range(TRIES):
            code, printed = self.run(*command)
            if not code or (unless and unless in self.errors):
                return printed
            if "failed to run: " in self.errors or attempt == TRIES - 1:
                break
            seconds = self._pause * 2**attempt
            print(f"job: cannot {purpose}; trying again in {seconds:g} s", file=sys.stderr, flush=True)
            time.sleep(seconds)
        raise RuntimeError(f"cannot {purpose}{self.ending()}")

    def ending(self) -> str:
        """Return the end of the log, for the end of a sentence."""
        return ". The end of its log:\n" + "\n".join(f"    {line}" for line in self._log)


@contextlib.contextmanager
def _scratch(place: str | Path | None) -> Iterator[tuple[Path, int]]:
    """Make a scratch folder and a process group, and end both, even if this process is killed."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="oneshot-job-", dir=place)).resolve()
    except OSError as error:
        raise RuntimeError(f"no scratch folder can be made in {place or tempfile.gettempdir()}: {error}") from None
    command = [sys.executable, "-c", GUARD, str(folder)]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, cwd="/", process_group=0)
    assert guard.stdin is not None
    try:
        yield folder, guard.pid
        guard.stdin.write(b"done")
    finally:
        guard.stdin.close()
        guard.wait()


if __name__ == "__main__":
    main()
