"""`demo`."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ir_attention.cli.outputs import aligned
from ir_attention.cli.talk import put, talk

if TYPE_CHECKING:
    from ir_attention.demo import Demo

__all__ = ["demo"]


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where to write.")
    ] = Path("ir-attention-demo"),
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of everything that is drawn.")] = 7,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", show_default=False, help="At most, for a quick look."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the demo that is there already.")
    ] = False,
) -> None:
    """Train, compare and look: six models on the headlines that ship with us.

    Takes two to three minutes. Writes FOLDER/report.html and the bundles of han
    and han-bi beside it, which the other commands can use.

        ir-attention demo
    """
    from ir_attention.demo import demo as run

    talk("Training on 110 invented headlines with ten tweets each, two of them about the headline.")
    progress = _Progress()
    try:
        made = run(out, seed=seed, epochs=epochs, overwrite=overwrite, say=progress.say)
    finally:
        progress.end()
    put("".join(f"{line}\n" for line in _lines(made)))
    talk("".join(f"{line}\n" for line in _next(made, out)).rstrip())


class _Progress:
    """A line per model on stderr, which grows old in place on a terminal."""

    def __init__(self) -> None:
        self.model, self.latest = "", ""
        self.live = sys.stderr is not None and sys.stderr.isatty()

    def say(self, model: str, line: str) -> None:
        """Shows how far a model is; remarks on the data are the same every time, and left out."""
        if not line.startswith(("epoch ", "kept ")):
            return
        if self.model and model != self.model:
            self.end()
        self.model, self.latest = model, line
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            typer.echo(f"\r\x1b[K{f'{model:10} {line}'[:width]}", err=True, nl=False)

    def end(self) -> None:
        """Leaves the last line of a model standing."""
        if self.model:
            lead = "\r\x1b[K" if self.live else ""
            counts = self.model == "bm25"  # it has nothing to learn
            talk(f"{lead}{self.model:10} {'counts words' if counts else self.latest}")
        self.model = ""


def _lines(made: Demo) -> list[str]:
    """The table, with each interval below its value, and the ranking."""
    from ir_attention.demo import MEASURES

    rows: list[tuple[str, ...]] = [("model", *MEASURES.values())]
    for row in made.table:
        cells: list[Any] = [row[name] for name in MEASURES]
        rows.append((row["model"], *(f"{value:.3f}" for value, _, _ in cells)))
        rows.append(("", *(f"{low:.3f}-{high:.3f}" for _, low, high in cells)))
    low, high = made.difference[1:]
    lines = [
        "",
        f"{made.queries} test headlines, means and 95 % intervals (MAP by chance: .371)",
        "",
        *aligned(rows).splitlines(),
        "",
        f"han - bm25 in MAP: {made.difference[0]:+.3f}, interval {low:+.3f} to {high:+.3f}",
        "",
        f"How han ranks the tweets of the headline: {made.headline}",
        "(* is about it)",
    ]
    ranked = zip(made.ranked["score"], made.ranked["label"], made.ranked["document"], strict=True)
    for score, label, document in ranked:
        lines.append(f"  {'*' if label > 0 else ' '} {score:6.2f}  {document}")
    return [*lines, ""]


def _next(made: Demo, out: Path) -> list[str]:
    """Where the page is, and what to try: all but the last run as they stand."""
    command, model = _command(), shlex.quote(str(out / "han"))
    headline, tweet = shlex.quote(made.headline), shlex.quote(made.ranked["document"].iloc[0])
    tweets, page = (shlex.quote(str(out / name)) for name in ("tweets.txt", "look.html"))
    return [
        f"The report, with what each word does to han's scores: {made.report.resolve()}",
        "",
        "What to try next:",
        "- the headline and the tweets of all headlines of the test part",
        f"  {command} rank {model} {headline} {tweets} -k 5",
        "- which word looked at which",
        f"  {command} explain {model} {headline} {tweet} -o {page}",
        "- pairs of your own, with your own column names",
        f"  {command} train PAIRS.csv --query NAME --document NAME --label NAME -o models/own",
    ]


def _command() -> str:
    """How this program was called, as one can call it again."""
    program = Path(sys.argv[0])
    if program.name != "ir-attention":
        return "python -m ir_attention"
    return program.name if shutil.which(program.name) else os.path.relpath(program)
