"""How fast are pairs read, cut, numbered and drawn, and how much memory do a million of them take?

    python pipelines/bench_data.py [--pairs FILE] [--repeats 5] [--queries 10000] [--skip memory]

* numbering: `number_texts` against one text after the other, on the distinct texts;
* end to end: file to checked pairs, words, numbers and the lists of an epoch;
* epochs: all batches of pairs of an epoch against MatchZoo's `DataGenerator`, its resampling
  included, which draws a negative for each relevant document as we do;
* memory: a process of its own reads a Parquet pack, checks and numbers it, draws epochs and trains
  `han` for some steps: the largest memory it ever took, TensorFlow included.

Texts are made up, with the frequencies of natural words, unless `--pairs` names a file; the pack of
epochs and memory is `--queries` x `--candidates` pairs over `--documents` documents. The ways must
agree, or it stops; they alternate; times are medians of `--repeats`, in seconds. The last line of
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
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from ir_attention.data import check_pairs, read_pairs
from ir_attention.data.arrays import number_texts
from ir_attention.data.batches import Judged, listwise, pairwise
from ir_attention.data.coded import distinct
from ir_attention.data.cutting import Cut
from ir_attention.data.readers import read_coded
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.text import sentences, words

COLUMNS = ["id_left", "text_left", "id_right", "text_right", "label"]
GROUPS = 128  # in a batch, MatchZoo's default


def timed(ways: dict, repeats: int) -> dict:
    """Seconds of each way, in turns after a warm-up: medians of CPU and of wall time."""
    taken = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, way in ways.items():
            start = time.process_time(), time.perf_counter()
            way()
            if turn:
                taken[name].append((time.process_time() - start[0], time.perf_counter() - start[1]))
    return {
        name: {
            unit: round(statistics.median(column), 5)
            for unit, column in zip(("cpu_s", "wall_s"), zip(*rows, strict=True), strict=True)
        }
        for name, rows in taken.items()
    }


def agree(fact: bool, what: str) -> None:
    """Stops, unless it is a fact."""
    if not fact:
        raise SystemExit(f"the ways do not agree: it is not so that {what}")


def made_pack(queries: int, candidates: int, documents: int, seed: int) -> pa.Table:
    """Pairs of made-up texts: queries of 6 to 12 words, documents of 14 to 26, some in sentences.

    Words come with the frequencies of natural ones; a twentieth of the pairs is relevant.
    """
    rng = np.random.default_rng(seed)
    letters = np.array(list("eeeettaaooiinnsshhrrdlucmfwypvbgk"))
    names = ["".join(rng.choice(letters, size)) for size in rng.integers(2, 11, 60_000)]
    marks = {29: "{}.", 31: "#{}", 37: "{},", 89: "{}!", 97: "http://{}.com/a"}
    for every, form in marks.items():
        names[every::every] = [form.format(name) for name in names[every::every]]
    known = np.array(names, object)

    def texts(count: int, least: int, most: int) -> list[str]:
        sizes = rng.integers(least, most + 1, count)
        drawn = known[(rng.zipf(1.25, sizes.sum()) - 1) % len(known)]
        ends = np.cumsum(sizes)
        return [
            " ".join(drawn[end - size : end]).capitalize()
            for end, size in zip(ends, sizes, strict=True)
        ]

    query = pa.array(np.repeat(np.arange(queries, dtype=np.int32), candidates))
    document = pa.array(rng.integers(0, documents, len(query), np.int32))
    values = (
        (query, [f"Q{number}" for number in range(queries)]),
        (query, texts(queries, 6, 12)),
        (document, [f"D{number}" for number in range(documents)]),
        (document, texts(documents, 14, 26)),
    )
    columns = [pa.DictionaryArray.from_arrays(*value) for value in values]
    return pa.table([*columns, pa.array((rng.random(len(query)) < 0.05).astype(int))], COLUMNS)


def plain_cut(texts: list[str]) -> Cut:
    """Sentences and words one text after the other."""
    numbers: dict[str, int] = {}
    word, lengths, counts = [], [], []
    for text in texts:
        parts = [words(text[start:end]) for start, end in sentences(text)]
        parts = [part for part in parts if part]
        for part in parts:
            word += [numbers.setdefault(one, len(numbers)) for one in part]
        lengths += map(len, parts)
        counts.append(len(parts))
    return Cut(list(numbers), *(np.array(part, np.int64) for part in (word, lengths, counts)))


def numbering(file: Path, repeats: int) -> dict:
    """Words a second of numbering, and of the whole road from the file to an epoch's lists."""
    pairs = read_pairs(file)
    sides = [distinct(pairs[f"text_{side}"]) for side in ("left", "right")]
    texts = list(dict.fromkeys([*sides[0][1], *sides[1][1]]))
    numbered = number_texts(texts, Vocabulary())
    plain = number_texts(plain_cut(texts), Vocabulary())
    agree(numbered.forms == plain.forms, "the fast and the plain way have the same words")
    for part in ("word", "sentence_lengths", "sentence_counts"):
        same = np.array_equal(getattr(numbered, part), getattr(plain, part))
        agree(same, f"the fast and the plain way have the same {part}")
    of_text = np.array([len(words(text)) for text in texts])
    places = {text: place for place, text in enumerate(texts)}
    in_rows = sum(
        int(of_text[[places[text] for text in unique]][codes].sum()) for codes, unique in sides
    )

    def end_to_end() -> None:
        pairs = read_coded(file)
        check_pairs(pairs)
        (query, queries), (document, documents) = (
            distinct(pairs[f"text_{side}"]) for side in ("left", "right")
        )
        number_texts(list(dict.fromkeys([*queries, *documents])), Vocabulary())
        judged = Judged(query, document, pairs["label"].to_numpy())
        for _ in listwise(judged, np.random.default_rng(1)):
            pass

    ways = {
        "fast": lambda: number_texts(texts, Vocabulary()),
        "plain": lambda: number_texts(plain_cut(texts), Vocabulary()),
        "end to end": end_to_end,
    }
    found = timed(ways, repeats)
    found["words"] = {"of distinct texts": len(numbered.word), "of all rows": in_rows}
    found["pairs"], found["texts"] = len(pairs), len(texts)
    for name in ways:
        rate = len(numbered.word) / found[name]["cpu_s"]
        print(f"{name:12} {found[name]['cpu_s']:8.3f} CPU s  {rate / 1e6:6.2f} M words/CPU s")
        found[name]["words_per_cpu_s"] = round(rate)
    rate = in_rows / found["end to end"]["cpu_s"]
    print(f"{'':12} of all rows' words, end to end: {rate / 1e6:.2f} M words/CPU s")
    found["end to end"]["words_of_rows_per_cpu_s"] = round(rate)
    return found


def epochs(pack: pa.Table, repeats: int) -> dict:
    """Seconds of an epoch of pairs: every relevant document with one that is not, in batches."""
    frame = pack.to_pandas()
    query, document = (frame[f"id_{side}"].cat.codes.to_numpy() for side in ("left", "right"))
    judged = Judged(query, document, frame["label"].to_numpy())
    rng = np.random.default_rng(1)
    batches = list(pairwise(judged, rng, queries=GROUPS))
    leading = np.concatenate([batch.document[::2] for batch in batches])
    relevant = frame["label"] > 0
    mixed = relevant.groupby(query).transform("nunique") == 2
    wanted = document[(relevant & mixed).to_numpy()]
    agree(np.array_equal(np.sort(leading), np.sort(wanted)), "each relevant document leads once")
    labels = np.concatenate([batch.label for batch in batches])
    agree(labels[::2].all() and not labels[1::2].any(), "the other one is not relevant")
    ways = {"ours": lambda: [batch for batch in pairwise(judged, rng, queries=GROUPS)]}
    skipped = ""
    try:
        from ir_attention import matchzoo as mz
    except ImportError as error:
        skipped = f"MatchZoo is not there: {error}"
        print(skipped)
    else:
        texts = frame.astype({name: str for name in COLUMNS[:4]})
        generator = mz.DataGenerator(
            mz.pack(texts), mode="pair", num_neg=1, num_dup=1, batch_size=GROUPS, seed=7
        )
        agree(len(generator) == len(batches), "MatchZoo has as many batches")

        def theirs() -> None:
            generator.on_epoch_end()
            for number in range(len(generator)):
                generator[number]

        ways["MatchZoo"] = theirs
    found = timed(ways, repeats)
    for name in ways:
        print(f"an epoch of pairs, {name:9} {found[name]['cpu_s']:9.4f} CPU s")
    found |= {"pairs": len(frame), "groups": len(leading), "skipped": skipped}
    if not skipped:
        found["ratio"] = round(found["MatchZoo"]["cpu_s"] / found["ours"]["cpu_s"], 1)
        print(f"an epoch of pairs is {found['ratio']} times as fast as MatchZoo's")
    return found


def memory(file: Path, steps: int, seed: int) -> dict:
    """The largest memory of this process after each stage, in GiB."""
    from ir_attention.training.matching import MatcherLearner
    from ir_attention.training.settings import TrainingSettings

    peaks = {"start": peak()}
    pairs = read_coded(file)
    peaks["read"] = peak()
    check_pairs(pairs)
    peaks["checked"] = peak()
    held_out = pairs["id_left"].cat.codes.to_numpy() % 20 == 0
    train, dev = pairs[~held_out], pairs[held_out]
    learner = MatcherLearner("han", train, dev, None, seed=seed, settings=TrainingSettings())
    peaks["numbered"] = peak()
    for epoch in range(2, 5):
        learner.data.draw(epoch)
    peaks["epochs drawn"] = peak()
    for step in range(min(steps, len(learner.data))):
        learner.model.train_on_batch(*learner.data[step])
    peaks[f"{steps} steps"] = peak()
    return peaks


def peak() -> float:
    """The largest memory of this process so far, in GiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux's ru_maxrss has that of the process that started this one
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return round(int(lines["VmHWM"].split()[0]) / 2**20, 2)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**30, 2)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=Path, help="a file of pairs to number, as `train` takes it")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--candidates", type=int, default=100, help="documents of a query")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=10, help="of training, to measure its memory")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--skip", nargs="*", default=[], choices=["numbering", "epochs", "memory"], metavar="PART"
    )
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    if args.memory_of:
        print(json.dumps(memory(args.memory_of, args.steps, args.seed)))
        return
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        sizes = (args.queries, args.candidates, args.documents)
        pack = made_pack(*sizes, args.seed)
        if "numbering" not in args.skip:
            small = Path(folder, "small.parquet")
            parts = [max(size // 5, 5) for size in (sizes[0], 10 * 5, sizes[2])]
            pa.parquet.write_table(made_pack(*parts, args.seed), small)
            found["numbering"] = numbering(args.pairs or small, args.repeats)
        if "memory" not in args.skip:
            file = Path(folder, "pack.parquet")
            pa.parquet.write_table(pack, file)
            command = [sys.executable, __file__, "--memory-of", file, "--steps", str(args.steps)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(done.stderr)
            found["memory_gib"] = json.loads(done.stdout.splitlines()[-1])
            print(f"peak memory of {len(pack)} pairs, GiB: {found['memory_gib']}")
        if "epochs" not in args.skip:
            found["epochs"] = epochs(pack, args.repeats)
    versions = {"python": platform.python_version()}
    for name in ("numpy", "pandas", "pyarrow", "tensorflow", "matchzoo"):
        if name in ("numpy", "pandas", "pyarrow") or name in sys.modules:
            versions[name] = version(name)
    settings = {name: str(value) for name, value in vars(args).items() if value is not None}
    line = {"bench": "data", "settings": settings, "versions": versions, "cores": os.cpu_count()}
    print(json.dumps({**line, **found}))


if __name__ == "__main__":
    main()
