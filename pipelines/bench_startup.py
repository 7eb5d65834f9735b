"""How long is it until something happens: importing, help, and ranking 100 tweets?

    python pipelines/bench_startup.py [--bundle FOLDER] [--documents FILE] [--repeats 5]

Each is a process of its own, Python's start included, and they take turns. Prints medians of CPU
and wall time in seconds, and what is left of them without Python itself. Without a bundle a small
`han` is trained on the headlines that ship with the package, which takes half a minute; documents
are their tweets. First it shows that the command ranks as the Python API does. The last line of
stdout is one JSON object with everything.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ir_attention.cli.inputs import read_documents
from ir_attention.data import headline_tweets, read_pairs
from ir_attention.ranking import Ranker

QUERY = "Harbour bridge reopens after storm repairs"

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--bundle", help="a trained model; default: one that is trained now")
parser.add_argument("--documents", type=Path, help="a file with a document a line")
parser.add_argument("--repeats", type=int, default=5)
args = parser.parse_args()


def run(command: list[str]) -> tuple[str, float, float]:
    """What a process prints, and its CPU and wall seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command} failed: {done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, cpu, wall


with tempfile.TemporaryDirectory() as folder:
    bundle, documents = args.bundle or f"{folder}/han", args.documents
    if args.bundle is None:
        from ir_attention.training import train

        print("training a small han", file=sys.stderr, flush=True)
        train(headline_tweets("train"), out=bundle, epochs=1, say=lambda line: None)
    if documents is None:
        documents = Path(folder, "tweets.txt")
        tweets = read_pairs(headline_tweets("test"))["text_right"][:100]
        documents.write_text("".join(f"{' '.join(tweet.split())}\n" for tweet in tweets))

    command = [sys.executable, "-m", "ir_attention"]
    ways = {
        "python": [sys.executable, "-c", "pass"],
        "import ir_attention": [sys.executable, "-c", "import ir_attention"],
        "--help": [*command, "--help"],
        "rank": [*command, "rank", bundle, QUERY, str(documents), "--json"],
    }
    if find_spec("matchzoo"):
        ways["import matchzoo"] = [sys.executable, "-c", "import ir_attention.matchzoo"]
        skipped = ""
    else:
        skipped = "MatchZoo is not installed"
        print(f"import matchzoo: skipped, {skipped}")

    _, texts = read_documents(str(documents))
    places, scores = Ranker.load(bundle).order(QUERY, texts, 10)
    ranked = json.loads(run(ways["rank"])[0])
    if [one["document"] for one in ranked] != [texts[place] for place in places]:
        raise SystemExit("the command and the Python API rank differently")

    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(args.repeats + 1):  # the first to warm up
        for name, way in ways.items():
            _, cpu, wall = run(way)
            if turn:
                taken[name].append((cpu, wall))

medians = {
    name: [statistics.median(column) for column in zip(*rows, strict=True)]
    for name, rows in taken.items()
}
found = {}
for name, (cpu, wall) in medians.items():
    beyond = wall - medians["python"][1]
    found[name] = {"cpu_s": round(cpu, 3), "wall_s": round(wall, 3), "beyond_s": round(beyond, 3)}
    print(f"{name:20} {cpu:6.3f} CPU s  {wall:6.3f} s, {beyond:6.3f} s beyond Python's own")
versions = {"python": platform.python_version()}
versions |= {name: version(name) for name in ("numpy", "pandas", "typer")}
if not skipped:
    versions |= {name: version(name) for name in ("matchzoo", "tensorflow")}
line = {"bench": "startup", "documents": len(texts), "repeats": args.repeats, "skipped": skipped}
print(json.dumps({**line, "versions": versions, "cores": os.cpu_count(), "results": found}))
