"""A collection in the layout of BEIR -> data/NAME/{train,dev,test}.tsv.gz, pairs to re-rank.

    python datasets/beir/prepare.py SOURCE --name NAME [--depth 100] [--only-found]
        [--out data/NAME]
    python datasets/beir/prepare.py --download --name nfcorpus

SOURCE is a folder, or an archive of one, with corpus.jsonl, queries.jsonl and qrels/PART.tsv (or
one qrels.tsv, which becomes test). A query's documents are the first ones of BM25 and the judged
ones; see README.md. The folder is written whole or not at all, and where the collection is one of
those in README.md only with its counts.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ir_attention.bm25 import BM25
from ir_attention.data.beir import Beir, read_beir
from ir_attention.data.downloads import Download
from ir_attention.data.preparing import (
    Counts,
    Recipe,
    count_pairs,
    find,
    make,
    needed,
    parser,
    read_lines,
    tidy,
    write_lines,
    write_pairs,
)
from ir_attention.errors import DataError

# Stated by BEIR's own list of data sets and, the same, by ir_datasets' downloads.json.
MD5 = {
    "arguana": "8ad3e3c2a5867cdced806d6503f29b99",
    "climate-fever": "8b66f0a9126c521bae2bde127b4dc99d",
    "dbpedia-entity": "c2a39eb420a3164af735795df012ac2c",
    "fever": "5a818580227bfb4b35bb6fa46d9b6c03",
    "fiqa": "17918ed23cd04fb15047f73e6c3bd9d9",
    "hotpotqa": "f412724f78b0d91183a0e86805e16114",
    "msmarco": "444067daf65d982533ea17ebd59501e4",
    "nfcorpus": "a89dba18a62ef92f7d323ec890a0d38d",
    "nq": "d4d3d2e48787a744b6f6e691ff534307",
    "quora": "18fb154900ba42a600f84b839c173167",
    "scidocs": "38121350fc3a4d2f48850f6aff52e4a9",
    "scifact": "5f7d1de60b170fc8027bb7898e2efca1",
    "trec-covid": "ce62140cb23feb9becf6270d0d1fe6d1",
    "webis-touche2020": "46f650ba5a527fc69e0a6521c5a23563",
}
COUNTS = {  # as in README.md
    "arguana": {"documents": 8674, "test queries": 1406},
    "fiqa": {"documents": 57638, "test queries": 648},
    "nfcorpus": {"documents": 3633, "test queries": 323},
    "quora": {"documents": 522931, "test queries": 10000},
    "scifact": {"documents": 5183, "test queries": 300},
}
PARTS = ("train", "dev", "test")
URL = "https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets"
LIMIT = 1 << 35  # bytes; the largest collection has about 10 GB


def main(arguments: Sequence[str] | None = None) -> None:
    recipe = Recipe(
        name="beir",
        summary="A collection in the layout of BEIR -> pairs to re-rank in TSV files.",
        source="folder or archive with corpus.jsonl, queries.jsonl and qrels/{train,dev,test}.tsv",
        convert=convert,
        count=count,
        counts={},
        limit=LIMIT,
    )
    options = parser(recipe)
    options.add_argument("--name", required=True, help=f"the collection: {', '.join(MD5)} or other")
    options.add_argument("--depth", type=int, default=100, help="documents of BM25 (%(default)s)")
    options.add_argument(
        "--only-found", action="store_true", help="leave judged documents out that BM25 missed"
    )
    options.set_defaults(out=None)
    chosen = options.parse_args(arguments)
    chosen.out = chosen.out or Path("data") / chosen.name
    known = chosen.name in MD5
    make(
        replace(
            recipe,
            name=f"beir {chosen.name}",
            convert=partial(convert, depth=chosen.depth, only_found=chosen.only_found),
            counts={"all": COUNTS[chosen.name]} if chosen.name in COUNTS else {},
            downloads=[_download(chosen.name)] if known else [],
        ),
        chosen,
    )


def convert(source: Path, out: Path, *, depth: int = 100, only_found: bool = False) -> None:
    """Writes a TSV and the judgements of each part, and the ids of all documents."""
    if depth < 1:
        raise DataError(f"--depth must be at least 1. Received: {depth}.")
    folder = needed(source, "corpus.jsonl", "corpus.jsonl.gz").parent
    files = {part: find(folder, f"qrels/{part}.tsv") for part in PARTS}
    if not any(files.values()):
        files = {"test": needed(folder, "qrels.tsv")}
    index = None
    for part, file in files.items():
        if file is None:
            continue
        beir = read_beir(folder, qrels=str(file.relative_to(folder)))
        if index is None:
            index = BM25([tidy(text) for text in beir.documents["text_right"]])
            write_lines(out / "documents.txt", beir.documents["id_right"])
        write_pairs(out / f"{part}.tsv.gz", pairs(beir, index, depth, only_found))
        judged = beir.judgements[["id_left", "id_right", "label"]].to_numpy()
        rows = [f"{query}\t{document}\t{label}" for query, document, label in judged]
        write_lines(out / f"qrels.{part}.tsv", ["query-id\tcorpus-id\tscore", *rows])


def pairs(beir: Beir, index: BM25, depth: int, only_found: bool) -> list[list[str]]:
    """The rows of every judged query, each one's documents in the order of the corpus."""
    ids = list(beir.documents["id_right"])
    texts = [tidy(text) for text in beir.documents["text_right"]]
    places = {one: place for place, one in enumerate(ids)}
    asked = dict(zip(beir.queries["id_left"], beir.queries["text_left"], strict=True))
    judged: dict[str, dict[int, int]] = {}
    for query, document, label in beir.judgements.itertuples(index=False):
        if query not in asked or document not in places:
            raise DataError(
                f"every id of the judgements must be in queries.jsonl or corpus.jsonl. Received: "
                f"{query!r} with {document!r}."
            )
        judged.setdefault(query, {})[places[document]] = int(label)
    rows = []
    for query, labels in judged.items():
        text = tidy(asked[query])
        # In some collections a query is a document as well: it is not what is looked for.
        itself = places.get(query, -1) if places.get(query) not in labels else -1
        scores = index.scores(text)
        best = np.argsort(-scores, kind="stable")[: depth + 1]
        found = [place for place in best.tolist() if place != itself and scores[place] > 0]
        wanted = set(found[:depth]) | (set() if only_found else labels.keys())
        rows += [
            [query, text, ids[place], texts[place], str(labels.get(place, 0))]
            for place in sorted(wanted)
        ]
    return rows


def count(folder: Path) -> Counts:
    files = {part: f"{part}.tsv.gz" for part in PARTS if (folder / f"{part}.tsv.gz").exists()}
    counts = count_pairs(folder, files)
    for part in files:
        judged = [line.split("\t") for line in read_lines(folder / f"qrels.{part}.tsv")[1:]]
        counts[part]["relevant"] = sum(int(score) > 0 for *_, score in judged)
    documents = len(read_lines(folder / "documents.txt"))
    counts["all"] = {"documents": documents}
    for part in files:
        counts["all"][f"{part} queries"] = counts[part]["queries"]
    return counts


def _download(name: str) -> Download:
    return Download(f"{URL}/{name}.zip", checksum=f"md5:{MD5[name]}", limit=LIMIT)


if __name__ == "__main__":
    main()
