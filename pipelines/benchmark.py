r"""Models beside each other on one data set: the same pairs, the same budget, several seeds.

    python pipelines/benchmark.py --data datasets/headline_tweets --models han,bm25,dssm,mv-lstm \
        --seeds 3 --budget 150,mv-lstm=450 --out results/headline_tweets

Each model and seed trains in a process of its own, on one thread, within the budget of CPU seconds;
it reads the test part when training is over. Tables, tests, a picture and all runs go to the folder
of --out. The same command goes on after an interruption: what is complete there is not run again.
`docs/benchmark.md` says what each figure is, and what a file for --config may hold.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ir_attention.errors import DataError, IRAttentionError, MissingExtra

# So that CPU seconds are those of one thread, and a seed gives one result in any process.
ONE_THREAD = {
    **{f"TF_NUM_{kind}_THREADS": "1" for kind in ("INTRAOP", "INTEROP")},
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "VECLIB")},
    **{"PYTHONHASHSEED": "0", "TOKENIZERS_PARALLELISM": "false", "TF_CPP_MIN_LOG_LEVEL": "3"},
}

# How a process says that its model cannot run here.
SKIPPED = 3

Job = dict[str, Any]


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise DataError(message)  # one line, exit code 1


def parser() -> Parser:
    made = Parser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("--data", type=Path, help="a folder with train, dev and test (.tsv, .csv.gz, ...)")
    add("--config", type=Path, help="a TOML file: files, columns, rows of one's own")
    add("--models", help="names with commas between, as han,han:no-matches,bm25")
    add("--seeds", type=int, help="how many, from 7 on (default: 3)")
    add("--budget", help="CPU seconds for a training's epochs; by row, as 150,conv-knrm=450")
    add("--vectors", help="a file or folder of pretrained vectors, for the rows that take them")
    add("--minilm", help="the folder of all-MiniLM-L6-v2, for the row minilm")
    add("--against", help="the row to compare others to, also one in the folder (default: han)")
    add("--out", type=Path, help="the folder of the results")
    add("--jobs", type=int, default=1, help="processes at a time (default: 1)")
    add("--again", action="store_true", help="run the rows anew even if they are complete")
    add("--verbose", action="store_true", help="show what each training says")
    add("--one", help=argparse.SUPPRESS)  # a job as JSON: this process is to do it
    return made


def main() -> int:
    args = parser().parse_args()
    if args.one is not None:
        return do(json.loads(args.one))
    from ir_attention.benchmark.commands import typed
    from ir_attention.benchmark.config import wanted
    from ir_attention.benchmark.jobs import jobs_of
    from ir_attention.benchmark.plan import seeds_of
    from ir_attention.benchmark.summary import Asked, write_summary

    if args.out is None:
        raise DataError("--out: must name the folder of the results. Received: none")
    if args.jobs < 1:
        raise DataError(f"--jobs: must be 1 or more. Received: {args.jobs}")
    given = ("data", "models", "seeds", "budget", "against", "vectors", "minilm")
    plan = wanted({name: getattr(args, name) for name in given}, args.config, args.out)
    command = typed(sys.argv[1:])
    jobs, skipped = jobs_of(plan, args.out, command=command, again=args.again, say=talk)
    seeds = {row.name: len(seeds_of(row, plan.seeds)) for row in plan.rows}
    asked = Asked(plan.data.title, seeds, plan.measures, plan.against, skipped)
    write_summary(args.out, asked)
    for name, reason in skipped.items():
        talk(f"{name}: skipped: {reason}")
    failed = False
    for number, (job, code, last) in enumerate(finished(jobs, args), start=1):
        name = job["row"]["name"]
        if code == 0:
            text = done(job)
        elif code == SKIPPED:
            skipped[name], text = last[-1], f"skipped: {last[-1]}"
        else:
            skipped[name], failed = "a run of it failed", True
            text = "\n    ".join([f"failed (exit code {code})", *last])
        talk(f"{number} of {len(jobs)}: {name}, seed {job['seed']}: {text}")
        write_summary(args.out, asked)
    frame = write_summary(args.out, asked)
    if frame.empty:
        return 1  # nothing could be run
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    print((args.out / "table.txt").read_text(encoding="utf-8"))
    print(args.out / "table.md")
    return int(failed or not seeds.keys() & {*frame["row"]})


def do(job: Job) -> int:
    from ir_attention.benchmark.single import run_one

    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    try:
        run_one(job)
    except MissingExtra as error:
        talk(line_of(error))
        return SKIPPED
    return 0


def end_with(parent: int) -> None:
    """Ends this process when the one that began it is gone, were it by `kill -9`."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def done(job: Job) -> str:
    facts = json.loads((Path(job["folder"]) / "result.json").read_bytes())
    measure = job["measures"][0]
    epoch = f"epoch {facts['kept_epoch']} of {facts['epochs']}, " if facts["pairs_an_epoch"] else ""
    return (
        f"{measure} {facts['measures'][measure]:.4f} on test, {facts['dev']:.4f} on dev, {epoch}"
        f"{facts['train_cpu_seconds']:.0f} s CPU"
    )


def finished(jobs: list[Job], args: argparse.Namespace) -> Iterator[tuple[Job, int, list[str]]]:
    """Does the jobs, some at a time; yields each with its exit code and its last lines."""
    waiting = list(jobs)
    running: list[tuple[Job, subprocess.Popen[bytes], Any]] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `kill` is as good as Ctrl-C
    try:
        while waiting or running:
            while waiting and len(running) < args.jobs:
                job = waiting.pop(0)
                log = None if args.verbose else tempfile.TemporaryFile()
                process = subprocess.Popen(
                    [sys.executable, __file__, "--one", json.dumps(job)],
                    env={**os.environ, **ONE_THREAD},
                    stdin=subprocess.DEVNULL,
                    stdout=log or sys.stderr,
                    stderr=log,
                )
                running.append((job, process, log))
            for entry in [entry for entry in running if entry[1].poll() is not None]:
                running.remove(entry)
                job, process, log = entry
                yield job, process.returncode, last_lines(log)
            time.sleep(0.1)
    finally:
        for _, process, _ in running:
            process.terminate()
        for _, process, _ in running:
            process.wait()


def last_lines(log: Any) -> list[str]:
    if log is None:
        return ["see above"]
    with log:
        log.seek(0)
        lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-8:] or ["it said nothing"]


def line_of(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split())


def talk(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (IRAttentionError, OSError) as error:
        talk(f"Error: {line_of(error)}")
        sys.exit(1)
    except KeyboardInterrupt:
        talk("Interrupted. The same command goes on from here.")
        sys.exit(130)
