"""`train` and `models`."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ir_attention.cli.inputs import (
    Document,
    DocumentId,
    Label,
    Query,
    QueryId,
    Text,
    open_labelled,
    open_pairs,
    refuse_given,
)
from ir_attention.cli.outputs import aligned, check_suffix
from ir_attention.cli.talk import put, talk
from ir_attention.errors import DataError
from ir_attention.files import check_place, write_whole

__all__ = ["models", "train"]

# Trained numbers at the default sizes, beside the vectors; the others' depend on the words.
_WEIGHTS = {"bm25": 0, "han": 217_423, "han-bi": 206_979, "lexical": 15, "minilm": 0}


def train(
    train: Annotated[
        Path,
        typer.Argument(
            metavar="TRAIN",
            help="Labelled pairs, or texts: CSV, TSV, JSON lines, Parquet, also .gz, or a BEIR "
            "folder.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="BUNDLE", help="The folder to write.")
    ],
    dev: Annotated[
        Path | None,
        typer.Option(
            metavar="DEV",
            show_default=False,
            help="Pairs that choose the epoch. Default: a tenth of the queries of TRAIN.",
        ),
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="See `ir-attention models`.")] = "han",
    vectors: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            show_default=False,
            help="Word vectors of word2vec (.bin: binary), GloVe or fastText, or a "
            "model2vec folder. "
            "Of a minilm: its folder.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of everything that is drawn.")] = 7,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            show_default=False,
            help="At most. Default: 12, han-bi 5, han-classifier 5, MatchZoo's models 20 or 30; "
            "more where there is little to learn from.",
        ),
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default=False,
            help="What the best epoch is the best in. Default: AP.",
        ),
    ] = None,
    one_sentence: Annotated[
        bool, typer.Option("--one-sentence", help="Read a document as one sentence.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            show_default=False,
            help="A further setting, as --set loss=hinge; may come again.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a bundle that is there already.")
    ] = False,
    tensorboard: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", show_default=False, help="Write each epoch as TensorBoard's events."
        ),
    ] = None,
    wandb: Annotated[
        str | None,
        typer.Option(
            metavar="PROJECT", show_default=False, help="Send each epoch to Weights & Biases."
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", show_default=False, help="Draw loss and dev measure by epoch (.png)."
        ),
    ] = None,
    keep_interrupted: Annotated[
        bool,
        typer.Option("--keep-interrupted", help="On Ctrl-C, write the best epoch so far."),
    ] = False,
    query: Query = "",
    document: Document = "",
    label: Label = "",
    query_id: QueryId = "",
    document_id: DocumentId = "",
    text: Text = "",
) -> None:
    """Train a model on labelled pairs, and write a bundle.

    After each epoch the queries of DEV are ranked and measured; the best
    epoch is kept. One seed gives one result. What --set knows beside the
    options: patience, min_delta, budget, loss, margin, learning_rate, warmup,
    clip, dropout, width, min_count, most_vectors, candidates, positives,
    queries, sentences, query_words, sentence_words, match_features,
    query_side, word_dropout, threads, precision.

        ir-attention train train.csv --out models/news

    A han-classifier learns from labelled texts instead: TRAIN has columns text
    and label, and the best epoch is that of the highest accuracy. Its --set
    knows patience, min_delta, budget, batch, diversity, optimizer, momentum,
    learning_rate, schedule, warmup, factor, plateau, clip, average,
    class_weights, sentence_words, sentences, width, gru, pool, hidden,
    bidirectional, trainable_vectors, word_pooling, sentence_pooling, dropout,
    word_dropout, output_dropout, min_count, most_vectors, threads, log_every.
    Values are JSON: true, 0.5, {"good": 2}; other text stands for itself.

        ir-attention train reviews.csv --model han-classifier --out models/reviews
    """
    options = _settings(settings or [])
    named = {
        "epochs": epochs,
        "measure": measure,
        "split_sentences": False if one_sentence else None,
        "overwrite": True if overwrite else None,
        "keep_interrupted": True if keep_interrupted else None,
        "tensorboard": tensorboard,
        "wandb": wandb,
    }
    options |= {name: value for name, value in named.items() if value is not None}
    from ir_attention.training.settings import CLASSIFIERS, check_model

    check_model(model)
    if plot is not None:
        check_suffix(plot, (".png",))
        check_place(plot)
    opened: Callable[[Path], Any]
    if model in CLASSIFIERS:
        ids = {"query_id": query_id, "document_id": document_id}
        refuse_given(model, query=query, document=document, measure=measure or "", **ids)
        opened = partial(open_labelled, text=text, label=label)
    else:
        refuse_given(model, text=text)
        columns = (query, document, label, query_id, document_id)
        opened = lambda path: open_pairs(path, *columns, coded=True)  # noqa: E731
    train_part, dev_part = opened(train), None if dev is None else opened(dev)
    from ir_attention.training.fitting import train as fit

    trained = fit(
        train_part,
        dev_part,
        model=model,
        out=out,
        vectors=vectors,
        seed=seed,
        say=talk,
        **options,
    )
    talk(f"wrote {out}")
    if plot is not None:
        from ir_attention.reports.history import history_picture

        write_whole(plot, history_picture(trained.history))
        talk(f"wrote {plot}")
    if trained.interrupted:
        raise typer.Exit(128 + 2)


def models() -> None:
    """Show what can be trained.

    Name, kind, and how many weights are trained at the default sizes, without
    word vectors; `-` where that depends on the words.

        ir-attention models
    """
    from ir_attention.training.settings import CLASSIFIERS, MODELS

    rows = [("name", "kind", "weights", "")]
    for name, (kind, line) in sorted({**MODELS, **CLASSIFIERS}.items()):
        weights = f"{_WEIGHTS[name]:,}" if name in _WEIGHTS else "-"
        rows.append((name, kind, weights, line))
    table = aligned([row[:3] for row in rows], left=2).splitlines()
    lines = [f"{cells}  {row[3]}".rstrip() for cells, row in zip(table, rows, strict=True)]
    put("".join(f"{line}\n" for line in lines))


def _settings(given: list[str]) -> dict[str, Any]:
    """Values by name; whatever JSON does not know is text."""
    values: dict[str, Any] = {}
    for setting in given:
        name, equals, text = setting.partition("=")
        if not equals:
            raise DataError(f"--set needs NAME=VALUE. Received: {setting!r}")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        values[name.strip().replace("-", "_")] = value
    return values
