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
    parser.add_argument("name", help="name of the experiment")
    parser.add_argument("targets", nargs="*", help="stages to reproduce, with what they depend on (default: all)")
    parser.add_argument("-S", "--set", action="append", default=[], metavar="KEY=VALUE", help="as in dvc exp run")
    parser.add_argument("--repository", metavar="URL", help="Git remote of the project (default: this clone's origin)")
    parser.add_argument("--revision", metavar="REV", help="what to run (default: this clone's HEAD)")
    parser.add_argument("--scratch", metavar="FOLDER", help="place of the scratch clone (default: $TMPDIR or /tmp)")
    job = parser.parse_intermixed_args()
    try:
        repository = job.repository or origin()
        revision = head() if job.revision is None else job.revision
        ref, _ = run(job.name, job.set, job.targets, repository, revision, job.scratch, echo=True)
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: what the job did is lost")
    print(f"job: {job.name} is at {repository} as {ref}")


def origin(folder: str | Path = ".") -> str:
    """Return the address of a clone's origin, absolute; raises RuntimeError if it has none."""
    done = subprocess.run(
        ["git", "remote", "get-url", "origin"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            "this clone has no Git remote named origin, from which jobs get the project and to which they push: add one"
            " with `git remote add origin URL` (a folder made by `git init --bare` will do), and push to it"
        )
    address = done.stdout.strip()
    place = Path(folder, address)
    return str(place.resolve()) if place.is_dir() else address


def head(folder: str | Path = ".") -> str:
    """Return the full hash of a clone's current commit."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def run(
    name: str,
    settings: Sequence[str],
    targets: Sequence[str],
    repository: str,
    revision: str,
    scratch: str | Path | None = None,
    *,
    echo: bool = False,
    pause: float = PAUSE,
) -> tuple[str, str]:
    """Run one experiment and push it; return its Git reference and its commit at the remote.

    settings: such as margin=2; targets: stages, none means all; repository: address of the Git remote; scratch: the
    folder for the clone; echo: print what the commands print; pause: seconds before a remote that is away is tried
    again. Raises RuntimeError with a sentence, and the end of the log, if the experiment fails.
    """
    with _scratch(scratch) as (folder, group):
        project = folder / "project"
        shell = _Shell(project, folder, group, echo, pause)
        shell.patiently(f"clone {repository}", "git", "clone", "--quiet", "--no-checkout", repository, str(project))
        code, baseline = shell.run("git", "rev-parse", "--verify", "--end-of-options", revision + "^{commit}")
        if code:
            raise RuntimeError(f"the revision {revision} is not at {repository}: push it first")
        shell.must("git", "checkout", "--quiet", "--detach", baseline)
        if shell.run("git", "config", "user.email")[0]:  # DVC commits the experiment in somebody's name
            shell.must("git", "config", "user.name", "job")
            shell.must("git", "config", "user.email", "job@localhost")
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
        words = [word for value in settings for word in ("-S", value)]
        shell.patiently(
            f"run the experiment {name}",
            *_dvc("exp", "run", "--pull", "--allow-missing", "--name", name, *words, *targets),
        )
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
    if not name or shell.run("git", "check-ref-format", ref)[0]:
        raise RuntimeError(f"{ref.split('/', 4)[-1]!r} cannot be the name of an experiment: use letters, digits and -")
    try:
        apply_overrides(shell.project / "params.yaml", list(settings))
    except Exception as error:  # of DVC and of several libraries below it
        reason = str(error.__cause__ or error).strip().partition("\n")[0]
        raise RuntimeError(f"{' '.join(settings)} cannot be set in params.yaml: {reason}") from None
    shell.must("git", "checkout", "--quiet", "--force", baseline)
    stages = load_yaml(str(shell.project / "dvc.yaml")).get("stages", {})
    for target in targets:
        if target.partition("@")[0] not in stages and not (shell.project / target.partition(":")[0]).exists():
            raise RuntimeError(f"{target} is no stage of dvc.yaml")


def _at_remote(shell: "_Shell", ref: str, settings: Sequence[str], targets: Sequence[str], baseline: str) -> str | None:
    """Return the commit of an experiment at the remote, if it is there.

    Raises RuntimeError if it has other parameters, or if it did not run all targets.
    """
    shell.patiently("look for the experiment", "git", "ls-remote", "origin", ref)
    commit = next((line.split()[0] for line in shell.output.splitlines() if line.endswith(f"\t{ref}")), None)
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
    """Runs commands in a scratch clone, and keeps the end of their log."""

    def __init__(self, project: Path, folder: Path, group: int, echo: bool, pause: float):
        """project: the clone; folder: the scratch folder it is in; group: process group of the commands."""
        self.project, self._folder, self._group, self._echo, self._pause = project, folder, group, echo, pause
        self._log: deque[str] = deque(maxlen=SHOWN)
        self.output = ""
        # This Python and the clone's library; nobody is asked for a password; nothing is left in the system's caches;
        # messages in English.
        self._variables = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(project / "src"),
            "GIT_TERMINAL_PROMPT": "0",
            "DVC_SITE_CACHE_DIR": str(folder / "site"),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *command: str) -> tuple[int, str]:
        """Run a command; return its status and what it printed, of which `output` also keeps the last lines."""
        lines: deque[str] = deque(maxlen=1000)
        process = subprocess.Popen(
            command,
            cwd=self.project if self.project.exists() else self._folder,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=self._group,
        )
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.strip():
                self._log.append(line.rstrip())
            if self._echo:
                print(line, end="", flush=True)
        self.output = "\n".join(lines).strip()
        return process.wait(), self.output

    def must(self, *command: str) -> str:
        """Run a command that has to succeed; return what it printed."""
        code, output = self.run(*command)
        if code:
            raise RuntimeError(f"`{' '.join(command)}` ended with status {code}{self.ending()}")
        return output

    def patiently(self, purpose: str, *command: str, unless: str | None = None) -> None:
        """Run a command that needs a remote, again after a pause if it fails; a stage that fails is not repeated.

        unless: a failure that prints this is none.
        """
        for attempt in range(TRIES):
            code, output = self.run(*command)
            if not code or (unless and unless in output):
                return
            if "failed to run: " in output:
                break
            if attempt < TRIES - 1:
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
