"""stories.txt -> {train,dev,test}.tsv, one row per headline and candidate tweet.

    python datasets/headline_tweets/prepare.py [--out datasets/headline_tweets]

The three files are kept beside this script; it makes the same bytes again from stories.txt, and
serves whoever changes or adds stories. In stories.txt a story is a block: its topic and headline,
four tweets about it ("+") and six that only look like it ("-"). Half of each stay with the
headline. The other half are the tweets of other stories that five headlines of the same part get,
so that every tweet is a candidate once, and whether it is one of the "+" says nothing.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
TOPICS = ["business", "culture", "disaster", "local", "politics", "science", "sport"]
COLUMNS = ["id_left", "text_left", "id_right", "text_right", "label", "topic", "kind"]
# Of 20 stories in the order of their topics, 11 go to train, 3 to dev, 6 to test.
PATTERN = ["train", "test", "train", "dev", "train", "test", "train", "train", "test", "train"] + [
    "train", "test", "train", "dev", "train", "test", "train", "dev", "test", "train"
]  # fmt: skip
ABOUT, CLOSE = 4, 6  # tweets in a block; half of them stay
COUNTS = {  # as in README.md
    "train": {"pairs": 1100, "queries": 110, "positives": 220},
    "dev": {"pairs": 300, "queries": 30, "positives": 60},
    "test": {"pairs": 600, "queries": 60, "positives": 120},
}
SEED = 20


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="stories.txt -> pairs in TSV files.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the files")
    chosen = parser.parse_args(arguments)
    try:
        tables = assemble(read_stories(HERE / "stories.txt"))
        check(tables)
        chosen.out.mkdir(parents=True, exist_ok=True)
        for part, rows in tables.items():
            lines = ["\t".join(row) + "\n" for row in [COLUMNS, *rows]]
            (chosen.out / f"{part}.tsv").write_bytes("".join(lines).encode())
    except (OSError, ValueError) as error:
        sys.exit(f"headline_tweets: {error}")
    sys.stderr.write(f"headline_tweets: {chosen.out} has the counts of README.md\n")


def read_stories(path: Path) -> list[dict]:
    """Each story's `topic`, `headline`, and tweets `about` it and `close` to it."""
    stories, seen = [], set()
    blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    for number, block in enumerate(blocks, start=1):
        first, *tweets = block.split("\n")
        topic, _, headline = first.partition(" | ")
        about = [tweet[2:] for tweet in tweets if tweet.startswith("+ ")]
        close = [tweet[2:] for tweet in tweets if tweet.startswith("- ")]
        texts = [headline, *about, *close]
        if topic not in TOPICS or (len(about), len(close), len(tweets)) != (ABOUT, CLOSE, 10):
            raise ValueError(f"{path}, story {number}: needs `topic | headline`, 4 '+' and 6 '-'")
        for text in texts:
            if text in seen or text != " ".join(text.split()) or text[:1] in ("", '"'):
                raise ValueError(
                    f"{path}, story {number}: texts differ, have single spaces, and no quote in "
                    f"front, which some readers of TSV take for their own. Received: {text!r}"
                )
            seen.add(text)
        stories.append({"topic": topic, "headline": headline, "about": about, "close": close})
    return stories


def assemble(stories: list[dict]) -> dict[str, list[list[str]]]:
    """The rows of each part, by seed: headlines in random order, their candidates too."""
    rng = np.random.default_rng(SEED)
    for number, story in enumerate(stories, start=1):
        story["id"] = f"H{number:03}"
        for kind in ("about", "close"):
            half = len(story[kind]) // 2
            story[kind], story[f"spare {kind}"] = story[kind][:half], story[kind][half:]
    ids = (f"T{number:04}" for number in rng.permutation(10 * len(stories)) + 1)
    tables = {}
    for part, members in split(stories, rng).items():
        rows = []
        # Each headline gets the spare tweets of the five stories that follow it in the circle.
        for place, story in enumerate(members):
            after = [members[(place + step) % len(members)] for step in range(1, 6)]
            spare = [other["spare about"][at] for at, other in enumerate(after[:2])]
            spare += [other["spare close"][at] for at, other in enumerate(after[2:])]
            candidates = [
                *((tweet, "1", "about") for tweet in story["about"]),
                *((tweet, "0", "close") for tweet in story["close"]),
                *((tweet, "0", "other") for tweet in spare),
            ]
            for at in rng.permutation(len(candidates)):
                tweet, label, kind = candidates[at]
                pair = [story["id"], story["headline"], next(ids), str(tweet), label]
                rows.append([*pair, story["topic"], kind])
        tables[part] = rows
    return tables


def split(stories: list[dict], rng: np.random.Generator) -> dict[str, list[dict]]:
    """Stories of each part, in random order, with the same mix of topics."""
    order = [stories[number] for number in rng.permutation(len(stories))]
    order.sort(key=lambda story: TOPICS.index(story["topic"]))
    parts: dict[str, list[dict]] = {part: [] for part in PATTERN}
    for number, story in enumerate(order):
        parts[PATTERN[number % len(PATTERN)]].append(story)
    return {part: [parts[part][at] for at in rng.permutation(len(parts[part]))] for part in COUNTS}


def check(tables: dict[str, list[list[str]]]) -> None:
    """Lets nothing pass that differs from `COUNTS`."""
    for part, expected in COUNTS.items():
        rows = tables[part]
        found = {
            "pairs": len(rows),
            "queries": len({row[0] for row in rows}),
            "positives": sum(row[4] == "1" for row in rows),
        }
        if found != expected:
            raise ValueError(f"{part} should have {expected}. Received: {found}")


if __name__ == "__main__":
    main()
