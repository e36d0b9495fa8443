"""Run one experiment in a scratch clone of the project, and push it with its run cache: one job of many.

Jobs share nothing but the Git remote and the DVC remote, so any number may run at once, on any machines: as a Slurm
array, in a GitHub matrix, by hand, or on Dask (tools/cluster.py). A job whose experiment is at the remote does nothing.
"""

import argparse
import contextlib
import functools
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

from tools.command import command, filled, started
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


@command
def main() -> None:
    """Run the job that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = functools.partial(parser.add_argument, type=filled)
    add("name", help="name of the experiment")
    add("targets", nargs="*", help="stages to reproduce, with what they depend on (default: all)")
    add("-S", "--set", action="append", default=[], metavar="KEY=VALUE", help="as in dvc exp run")
    add("--repository", metavar="URL", help="Git remote of the project (default: this clone's origin)")
    add("--revision", metavar="REV", help="what to run (default: this clone's HEAD)")
    add("--scratch", metavar="FOLDER", help="place of the scratch clone (default: $TMPDIR or /tmp)")
    job = parser.parse_intermixed_args()
    repository, revision = job.repository or origin(), job.revision or head()
    if os.path.isdir(repository):
        repository = os.path.abspath(repository)
    try:
        ref, _ = run(job.name, job.set, job.targets, repository, revision, job.scratch, place=prefix(), echo=True)
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    print(f"job: {job.name} is at {repository} as {ref}")


def origin(folder: str | Path = ".") -> str:
    """Return the address of a clone's origin, from which jobs get the project and to which they push, absolute."""
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
    first: Sequence[str] = (),
    echo: bool = False,
    pause: float = PAUSE,
) -> tuple[str, str]:
    """Run one experiment and push it; return its Git reference and its commit at the remote.

    settings: such as margin=2; targets: stages, none means all; repository: address of the Git remote; scratch: folder
    for the clone; place: the project's folder in its repository; first: stages of the project at the top of the
    repository, whose outputs this one reads; echo: print what commands print; pause: seconds before a remote that is
    away is tried again. Raises RuntimeError with a sentence, and the end of the log, if it fails.
    """
    with _scratch(scratch) as (folder, group):
        shell = Shell(folder, group, echo, pause)
        # Whatever the user calls a remote, and whatever hooks and signatures he has for his own commits.
        words = ["--quiet", "--no-checkout", "--origin=origin", "--config=core.hooksPath=/dev/null"]
        words += ["--config=commit.gpgSign=false", "--config=push.gpgSign=false", "--", repository, "project"]
        shell.patiently(f"clone {repository}", "git", "clone", *words)
        shell.folder = folder / "project"
        code, printed = shell.run("git", "rev-parse", "--quiet", "--verify", "--end-of-options", revision + "^{commit}")
        if code:
            raise RuntimeError(f"the revision {revision} is not at {repository}: push it first")
        baseline = printed[-1]
        shell.must("git", "checkout", "--quiet", "--detach", baseline)
        if shell.run("git", "config", "user.email")[0]:  # DVC commits the experiment in somebody's name
            shell.must("git", "config", "user.name", "job")
            shell.must("git", "config", "user.email", "job@localhost")
        shell.folder = project = folder / "project" / place
        if not (project / "dvc.yaml").exists() or not (project / ".dvc").exists():
            raise RuntimeError(f"{repository}/{place} is no DVC project: it has no dvc.yaml or no .dvc at {revision}")
        if not Config(str(project / ".dvc"))["core"].get("remote"):
            how = "add one with `dvc remote add --default NAME URL`, commit .dvc/config and push"
            raise RuntimeError(f"the project has no default DVC remote, to which jobs push results: {how}")
        ref = f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}"
        parameters = _check(shell, ref, settings, targets)
        if commit := _at_remote(shell, ref, parameters, targets):
            return ref, commit
        if first:
            shell.folder = folder / "project"
            shell.patiently(f"run the stages {', '.join(first)}", "dvc", "repro", *first)
            shell.must("git", "reset", "--quiet", "--hard")
            shell.folder = project
        words = ["--pull", "--allow-missing", f"--name={name}", *(f"--set-param={value}" for value in settings)]
        shell.patiently(f"run the experiment {name}", "dvc", "exp", "run", *words, *targets)
        # The experiment comes last: if it is at the remote, then so is everything else.
        shell.patiently("push results and run cache", "dvc", "push", "--quiet", "--run-cache")
        shell.patiently("push metrics and plots", sys.executable, "-c", _PUSH_UNCACHED)
        # What `dvc exp push` does, but by the git that cloned, and only if nothing is there: another job may have
        # pushed the same experiment in the meantime, and then that one stays.
        push = ("git", "push", "--quiet", f"--force-with-lease={ref}:", "origin", f"{ref}:{ref}")
        shell.patiently(f"push the experiment {name}", *push, unless="stale info")
        if commit := _at_remote(shell, ref, parameters, targets):
            return ref, commit
        raise RuntimeError(f"the experiment {name} is not at {repository} after it was pushed{shell.ending()}")


def _check(shell: "Shell", ref: str, settings: Sequence[str], targets: Sequence[str]) -> dict:
    """Return the parameters with the settings.

    Raises RuntimeError if dvc will refuse a name, a setting or a target, since a failure of dvc is tried again.
    """
    # A name with a slash is a reference to Git, but not to DVC.
    if ref.endswith("/") or ref.count("/") != 4 or shell.run("git", "check-ref-format", ref)[0]:
        raise RuntimeError(f"{ref.split('/', 4)[-1]!r} cannot be the name of an experiment: use letters, digits and -")
    parameters = shell.folder / "params.yaml"
    try:
        apply_overrides(parameters, list(settings))
    except Exception as error:  # of DVC and of several libraries below it
        reason = str(error.__cause__ or error).strip().partition("\n")[0]
        raise RuntimeError(f"{' '.join(settings)} cannot be set in params.yaml: {reason}") from None
    wanted = load_yaml(str(parameters))
    shell.must("git", "reset", "--quiet", "--hard")
    listed = shell.must("dvc", "stage", "list", "--name-only")
    stages = {*listed, *(stage.partition("@")[0] for stage in listed)}
    for target in targets:
        if target not in stages and not (shell.folder / target.partition(":")[0]).exists():
            raise RuntimeError(f"{target} is no stage of dvc.yaml")
    return wanted


def _at_remote(shell: "Shell", ref: str, parameters: dict, targets: Sequence[str]) -> str | None:
    """Return the commit of an experiment at the remote, if it is there.

    Raises RuntimeError if it has other parameters, or if it did not run all targets.
    """
    found = shell.patiently("look for the experiment", "git", "ls-remote", "origin", ref)
    commit = next((line.split()[0] for line in found if line.endswith(f"\t{ref}")), None)
    if commit is None or commit in shell.run("git", "rev-parse", "--quiet", "--verify", ref)[1]:
        return commit
    shell.patiently("get the experiment", "git", "fetch", "--quiet", "origin", ref)
    shell.must("git", "checkout", "--quiet", "--force", commit)
    if load_yaml(str(shell.folder / "params.yaml")) != parameters:
        how = "has other parameters"
    elif any("Running stage" in line for line in shell.must("dvc", "repro", "--dry", "--allow-missing", *targets)):
        how = "did not run all of these stages"
    else:
        return commit
    name = ref.rpartition("/")[2]
    raise RuntimeError(
        f"an experiment {name} of this revision is already at the remote, and {how}: choose another name, or remove"
        f" that one with `dvc exp remove -g origin {name}`"
    )


class Shell:
    """Runs commands in a clone, and keeps the end of what they print."""

    def __init__(self, folder: Path, group: int = 0, echo: bool = False, pause: float = PAUSE):
        """folder: where commands run; group: their process group; echo: print what they print; pause: see run."""
        self.folder, self._group, self._echo, self._pause = folder, group, echo, pause
        self._log: deque[str] = deque(maxlen=SHOWN)
        # This Python; nobody is asked for a password; nothing is left in the system's caches; messages in English.
        self._variables = variables() | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONSAFEPATH": "",
            "GIT_TERMINAL_PROMPT": "0",
            "DVC_SITE_CACHE_DIR": str(folder / "site"),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *command: str) -> tuple[int, list[str]]:
        """Run a command, with the clone's library; return its status and the lines that it printed."""
        environment = self._variables | {"PYTHONPATH": str(self.folder / "src")}
        process = started(*command, cwd=self.folder, env=environment, process_group=self._group)
        lines = []
        for line in process.stdout or ():
            if self._echo:
                print(line, end="", flush=True)
            if line.strip():
                lines.append(line.rstrip())
        self._log.extend(lines)
        return process.wait(), lines

    def must(self, *command: str) -> list[str]:
        """Run a command that has to succeed; return the lines that it printed."""
        return self.patiently(f"run `{' '.join(command)}`", *command, tries=1)

    def patiently(self, purpose: str, *command: str, unless: str | None = None, tries: int = TRIES) -> list[str]:
        """Run a command that needs a remote, again after a pause if it fails; return the lines that it printed.

        A stage that fails is not repeated. unless: a failure that prints this is none.
        """
        for attempt in range(tries):
            code, lines = self.run(*command)
            printed = "\n".join(lines)
            if not code or (unless and unless in printed):
                return lines
            if "failed to run: " in printed or attempt == tries - 1:
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
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd="/", process_group=0) as guard:
        assert guard.stdin is not None
        yield folder, guard.pid
        guard.stdin.write(b"done")


if __name__ == "__main__":
    main()
