"""Run the stages that are out of date, as `dvc repro` does, but stages that do not need each other at the same time.

Each stage runs by `dvc repro --single-item STAGE`, and a last `dvc repro` finds all up to date or runs what is left, so
the result is that of `dvc repro` alone. Where several can start, the one with most work after it goes first.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import networkx
import psutil
from dvc.lock import LockError
from dvc.repo import Repo
from dvc.utils.serialize import load_yaml
from joblib import cpu_count

from tools import reached
from tools.command import command, positive, started
from tools.smoke import record_of

# GiB that a stage may need, by the start of its name; no more stages run at once than fit into the memory.
NEEDED = {"train_convnet": 4.0, "extract_features": 4.0, "": 2.0}
DVC = [sys.executable, "-m", "dvc"]
CHECK = "check_params"
# What DVC says of each stage: the names of stages are printed here, and the advice helps once.
CHATTER = ("Updating lock file", "Generating lock file", "To track the changes", "To enable auto staging")
# What TensorFlow says whenever it starts, before its settings are read.
CHATTER += ("WARNING: All log messages before absl", "I0000 ")
CHATTER += ("Use `dvc push`", "git add ", "dvc config core.autostage", "Running stage ", "> ")
# Each stage has compute.threads threads, 2. On two processors, too, two stages end sooner than one after the other.
JOBS = max(min(2, cpu_count()), cpu_count() // 2)
SECONDS_TO_END = 20  # that stages get after Ctrl-C


def stale(repo: Repo) -> networkx.DiGraph:
    """The stages of dvc.yaml that changed, and those after them, by name; an edge leads to a stage that comes after."""
    graph: networkx.DiGraph = repo.index.graph.reverse()
    with repo.lock:
        changed = {stage for stage in graph if stage.path_in_repo == "dvc.yaml" and stage.changed()}
    after = changed.union(*(networkx.descendants(graph, stage) for stage in changed))
    return networkx.relabel_nodes(graph.subgraph(after), {stage: stage.addressing for stage in after})


def in_order(graph: networkx.DiGraph, minutes: Mapping[str, float]) -> networkx.DiGraph:
    """The same graph with the stages first from which the longest way, in minutes, leads to the end of the run.

    The check of the parameters comes before all work.
    """
    rest: dict[str, float] = {}
    for stage in reversed(list(map(str, networkx.topological_sort(graph)))):
        later = max((rest[str(after)] for after in graph.successors(stage)), default=0.0)
        rest[stage] = minutes.get(stage, 0.1) + later
    ordered = networkx.DiGraph()
    names = sorted(rest, key=lambda stage: (-rest[stage], stage))
    ordered.add_nodes_from(names)
    ordered.add_edges_from(graph.edges)
    if CHECK in graph:
        ordered.add_edges_from((CHECK, stage) for stage in graph if stage != CHECK)
    return ordered


def startable(graph: networkx.DiGraph, done: Collection[str], running: Collection[str], jobs: int, room: float) -> list:
    """The stages of `graph` to start now, in its order: all before them is done, `jobs` and the GiB `room` are kept."""
    busy = list(running)
    for stage in graph:
        ready = stage not in done and stage not in busy and all(before in done for before in graph.predecessors(stage))
        # One stage may always run: if it does not fit, no waiting helps.
        if ready and len(busy) < jobs and (not busy or sum(map(need, [*busy, stage])) <= room):
            busy.append(stage)
    return busy[len(running) :]


def need(stage: str) -> float:
    """GiB that a stage may need."""
    return next(size for start, size in NEEDED.items() if stage.startswith(start))


def memory() -> float:
    """GiB that are available here, or in this container."""
    sizes = [psutil.virtual_memory().available]
    with contextlib.suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        sizes.append(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    return min(sizes) / 2**30


def stored_minutes() -> dict[str, float]:
    """Minutes of each stage's last run, by name; without those whose record is missing or damaged."""
    lock = Path("dvc.lock")
    stages = load_yaml(str(lock)).get("stages", {}) if lock.exists() else {}
    minutes = {}
    for name, stage in stages.items():
        # Only the order of the stages depends on them: a conflict of a merge in a record is no reason to stop.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            record = Path(f"provenance/{record_of(stage['cmd'])}.json")
            minutes[name] = float(json.loads(record.read_text())["minutes"])
    return minutes


def longest_chain() -> dict[str, float]:
    """The stages that need each other and took longest in their last runs, the first not counted: minutes of each."""
    minutes = stored_minutes()
    with Repo() as repo:
        graph = repo.index.graph.reverse()
    graph = networkx.relabel_nodes(graph, {stage: stage.addressing for stage in graph})
    weighted = networkx.DiGraph((before, after, {"weight": minutes.get(after, 0.0)}) for before, after in graph.edges)
    return {stage: minutes.get(stage, 0.0) for stage in networkx.dag_longest_path(weighted)}


def follow(stage: str, process: subprocess.Popen) -> bool:
    """Print the lines of a stage, with its name in front, until it has ended; return whether it succeeded."""
    began = time.monotonic()
    for line in process.stdout or ():
        shown = line.strip()
        if shown and not shown.startswith(CHATTER) and "  0%|" not in shown:
            print(f"[{stage}] {shown}", flush=True)
    failed = process.wait()
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    print(f"{'FAILED' if failed else 'end   '} {stage} ({minutes}:{seconds:02})", flush=True)
    return not failed


def run(graph: networkx.DiGraph, jobs: int, room: float) -> list[str]:
    """Run the stages of a graph, in its order as far as possible; return those that failed.

    What comes after a failed stage does not run, and is removed from the graph; all else runs.
    """
    done, failed = set(), []
    running: dict[Future[bool], tuple[str, subprocess.Popen]] = {}
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while True:
                for stage in startable(graph, done, [stage for stage, _ in running.values()], jobs, room):
                    print(f"start  {stage}", flush=True)
                    # In a session of its own: Ctrl-C reaches DVC and its stage only from here.
                    words = [*DVC, "--wait-for-lock", "repro", "--single-item", stage]
                    process = started(*words, start_new_session=True)
                    running[pool.submit(follow, stage, process)] = stage, process
                if not running:
                    return failed
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    succeeded = future.result()
                    stage, _ = running.pop(future)
                    if succeeded:
                        done.add(stage)
                    else:
                        failed.append(stage)
                        graph.remove_nodes_from([stage, *networkx.descendants(graph, stage)])
        finally:
            # As Ctrl-C does, then by force.
            for sign in (signal.SIGINT, signal.SIGKILL):
                for _, process in running.values():
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, sign)
                for _, process in running.values():
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(SECONDS_TO_END)


@command
def main() -> None:
    """Run what is out of date, and print what was reached; exit with status 1 if a stage failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=positive, default=JOBS, help="stages at once (default here: %(default)s)")
    jobs = parser.parse_args().jobs
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # which nohup sets
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        with Repo() as repo:
            graph = stale(repo)
        failed = run(in_order(graph, stored_minutes()), jobs, memory())
        if failed:
            sys.exit(f"error: {', '.join(failed)} failed, see the lines above; the other stages have run")
        subprocess.run([*DVC, "repro", "--quiet"], check=True)
    except LockError as error:
        why = "another run is at work in this folder: wait until it ends, then run make repro again"
        sys.exit(f"error: {why} (DVC: {' '.join(str(error).split())})")
    except KeyboardInterrupt:
        print("interrupted: run make repro to resume after the last finished epochs", file=sys.stderr)
        sys.exit(130)
    print("all stages are up to date")
    print(*reached.lines(Path.cwd()), sep="\n")


if __name__ == "__main__":
    main()
