"""Attention finds the step that counts: copying the value of one flagged step out of 64.

    python pipelines/toy_copy.py                # three seeds, some two minutes
    python pipelines/toy_copy.py --out docs     # the picture too: docs/toy-copy.png
    python pipelines/toy_copy.py --seeds 7 --samples 200 --epochs 2    # a quick look

A sample has rows `(value, flag)`, values drawn evenly from [0, 1). One flag is 1, the others are 0,
and the target is the value beside that 1. An LSTM of 4 units whose last state must hold the value
does no better than the mean; the same LSTM with `AttentionPool` over its states learns it. Then
blank steps are put in front of each sample, and the mask is left out. The settings are the
published ones of lzfelix/keras_attention; none was chosen by a result.
"""

import argparse
import io
import json
import sys
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import binomtest

from ir_attention.backend import keras
from ir_attention.errors import IRAttentionError
from ir_attention.files import write_whole
from ir_attention.models import AttentionPool

# Settings: what another experiment changes.
SEEDS = [7, 8, 9]
SAMPLES = 1000  # to learn from; as many for the error by epoch; as many, unseen, to measure
STEPS = 64
UNITS = 4
EPOCHS, BATCH = 10, 32
RATES = {"last state": 1e-2, "attention": 5e-2}  # of Adam
BLANKS = 16
BLANK = -1.0  # in both columns of a blank step: no value and no flag is below 0
BLANKS_EPOCHS, BLANKS_BATCH = 2, 16  # of the model that learns from samples with blanks
VARIANCE = 1 / 12  # of a value: the error of whoever always says .5

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
parser.add_argument("--samples", type=int, default=SAMPLES, help="in each of the three parts")
parser.add_argument("--epochs", type=int, default=EPOCHS)
parser.add_argument("--out", type=Path, help="a folder for the picture, toy-copy.png")
parser.add_argument("--json", action="store_true", help="one JSON object in place of the tables")


# Data: inputs `(samples, steps, 2)`, targets `(samples,)`, flagged steps `(samples,)`.
class Samples(NamedTuple):
    inputs: np.ndarray
    target: np.ndarray
    flagged: np.ndarray


def draw(rng: np.random.Generator, samples: int, steps: int = STEPS) -> Samples:
    values = rng.random((samples, steps), dtype=np.float32)
    flagged = rng.integers(steps, size=samples)
    flags = (np.arange(steps) == flagged[:, None]).astype(np.float32)
    return Samples(np.stack([values, flags], axis=2), (values * flags).sum(axis=1), flagged)


def with_blanks(samples: Samples, blanks: int = BLANKS) -> Samples:
    """The same samples behind that many blank steps."""
    inputs = np.pad(samples.inputs, ((0, 0), (blanks, 0), (0, 0)), constant_values=BLANK)
    return Samples(inputs, samples.target, samples.flagged + blanks)


# Models: one to be trained and, of the same layers, one that gives the weights of the steps.
class Net(NamedTuple):
    model: keras.Model
    weights: keras.Model | None


def build(seed: int, kind: str, masked: bool = True) -> Net:
    """Masking, LSTM, `AttentionPool` or nothing, Dense. Each weight has a seed of its own."""
    glorot, orthogonal = keras.initializers.GlorotUniform, keras.initializers.Orthogonal
    seeds = iter(range(10 * seed, 10 * seed + 10))
    inputs = keras.Input((None, 2))
    steps = keras.layers.Masking(BLANK)(inputs) if masked else inputs
    lstm = keras.layers.LSTM(
        UNITS,
        return_sequences=kind == "attention",
        kernel_initializer=glorot(next(seeds)),
        recurrent_initializer=orthogonal(seed=next(seeds)),
        use_cudnn=False,  # cuDNN takes no mask with blanks in front
    )
    dense = keras.layers.Dense(1, kernel_initializer=glorot(next(seeds)))
    states, weights = lstm(steps), None
    if kind == "attention":
        pool = AttentionPool(initializer=glorot(next(seeds)), return_weights=True)
        states, weights = pool(states)
    model = keras.Model(inputs, dense(states))
    # To compile the loop over the steps would take longer than to run it.
    model.compile(keras.optimizers.Adam(RATES[kind]), "mse", jit_compile=False)
    return Net(model, None if weights is None else keras.Model(inputs, weights))


def fit(net: Net, train: Samples, dev: Samples, epochs: int, batch: int, seed: int) -> list[float]:
    """Learns in an order drawn by seed; returns the mean squared error on dev by epoch."""
    rng, errors = np.random.default_rng(seed), []
    for _ in range(epochs):
        order = rng.permutation(len(train.target))
        inputs, target = train.inputs[order], train.target[order]
        net.model.fit(inputs, target, batch_size=batch, shuffle=False, verbose=0)
        errors.append(float(squared_errors(net, dev).mean()))
    return errors


def answers(net: Net, samples: Samples) -> np.ndarray:
    return net.model.predict(samples.inputs, batch_size=500, verbose=0)[:, 0]


def weights(net: Net, samples: Samples) -> np.ndarray:
    return net.weights.predict(samples.inputs, batch_size=500, verbose=0)


def squared_errors(net: Net, samples: Samples) -> np.ndarray:
    return (answers(net, samples) - samples.target) ** 2


# Measures: a value and the ends of its 95 % interval over the samples.
def mean(values: np.ndarray) -> list[float]:
    """By 2000 bootstrap draws."""
    drawn = np.random.default_rng(0).integers(len(values), size=(2000, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return [float(values.mean()), float(low), float(high)]


def share(hits: np.ndarray) -> list[float]:
    """Wilson's, which is not empty when every sample is a hit."""
    ends = binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
    return [float(hits.mean()), float(ends.low), float(ends.high)]


def without_mask(net: Net, seed: int, samples: Samples) -> dict:
    """What a trained model makes of blanks, and what it makes of them with its mask left out."""
    bare = build(seed, "attention", masked=False)
    bare.model.set_weights(net.model.get_weights())
    change = np.abs(answers(bare, samples) - answers(net, samples))
    return {
        "largest_on_a_blank": float(weights(net, samples)[:, :BLANKS].max()),
        "mse": mean(squared_errors(net, samples)),
        "bare_on_blanks": mean(weights(bare, samples)[:, :BLANKS].sum(axis=1)),
        "bare_mse": mean(squared_errors(bare, samples)),
        "change": mean(change),
        "curves": [weights(net, samples)[0].tolist(), weights(bare, samples)[0].tolist()],
        "flagged": int(samples.flagged[0]),
    }


def one_seed(seed: int, args: argparse.Namespace) -> dict:
    rng = np.random.default_rng(seed)
    train, dev, test = (draw(rng, args.samples) for _ in range(3))

    # Last state against attention.
    row = {"seed": seed}
    for kind in RATES:
        print(f"seed {seed}: {kind}, {args.epochs} epochs", file=sys.stderr, flush=True)
        net = build(seed, kind)
        errors = fit(net, train, dev, args.epochs, BATCH, seed)
        row[kind] = {"mse": mean(squared_errors(net, test)), "by_epoch": errors}
    found = weights(net, test)
    row["hits"] = share(found.argmax(axis=1) == test.flagged)
    row["on_flag"] = mean(found[np.arange(len(found)), test.flagged])

    # Blanks, which that model has never met: they change nothing, until the mask is left out.
    row["never met"] = without_mask(net, seed, with_blanks(test))
    moved = np.abs(answers(net, with_blanks(test)) - answers(net, test))
    row["moved_by_blanks"] = float(moved.max())

    # The same of a model that learns from samples with blanks, for the two epochs as published.
    print(f"seed {seed}: blanks, {BLANKS_EPOCHS} epochs", file=sys.stderr, flush=True)
    net = build(seed, "attention")
    fit(net, with_blanks(train), with_blanks(dev), BLANKS_EPOCHS, BLANKS_BATCH, seed)
    row["met in training"] = without_mask(net, seed, with_blanks(test))
    return row


def bars(row: dict) -> dict[str, bool]:
    """What must come out of each seed, and whether it did."""
    blanks = [row["never met"], row["met in training"]]
    return {
        "last state: MSE 1/12, give or take .01": abs(row["last state"]["mse"][0] - VARIANCE)
        <= 0.01,
        "attention: MSE at most .002": row["attention"]["mse"][0] <= 0.002,
        "largest weight on the flag: at least 95 %": row["hits"][0] >= 0.95,
        "largest weight of a blank: exactly 0": all(b["largest_on_a_blank"] == 0 for b in blanks),
        "without the mask: another output": all(b["change"][1] > 0.001 for b in blanks),
    }


# Output: columns by head, each with where its value is and how it is written.
COPYING = {
    "last state, MSE": (lambda row: row["last state"]["mse"], ".4f"),
    "attention, MSE": (lambda row: row["attention"]["mse"], ".5f"),
    "largest weight on the flag, of samples": (lambda row: row["hits"], ".1%"),
    f"weight on the flag (even: {1 / STEPS:.3f})": (lambda row: row["on_flag"], ".3f"),
}
MASKING = {
    "largest weight of a blank": (lambda row: row["largest_on_a_blank"], "g"),
    "MSE": (lambda row: row["mse"], ".5f"),
    "no mask: weight of all blanks": (lambda row: row["bare_on_blanks"], ".3f"),
    "no mask: MSE": (lambda row: row["bare_mse"], ".4f"),
    "no mask: change of the output": (lambda row: row["change"], ".3f"),
}


def table(rows: list[dict], columns: dict) -> str:
    """In Markdown: a line for each seed, with the intervals, and one for the mean over seeds."""
    lines = [["seed", *columns], ["---:"] * (len(columns) + 1)]
    for row in rows:
        values = [(np.ravel(value(row)), spec) for value, spec in columns.values()]
        lines.append([str(row["seed"]), *(cell(*value) for value in values)])
    means = [(np.mean([value(row) for row in rows], 0), spec) for value, spec in columns.values()]
    lines.append(["mean", *(cell(np.ravel(value)[:1], spec) for value, spec in means)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: np.ndarray, spec: str) -> str:
    value, *ends = (format(number, spec) for number in value)
    return f"{value} ({' to '.join(ends)})" if ends else value


def report(rows: list[dict]) -> str:
    parts = [
        f"Copying one value of {STEPS}: mean squared error (MSE) of values from 0 to 1, and the "
        "attention's weights.\nIn brackets, 95 % intervals over the unseen samples.",
        table(rows, COPYING),
    ]
    for kind in ("never met", "met in training"):
        parts.append(f"{BLANKS} blank steps in front, {kind}:")
        parts.append(table([{"seed": row["seed"], **row[kind]} for row in rows], MASKING))
    moved = max(row["moved_by_blanks"] for row in rows)
    parts.append(f"Blanks that were never met change no output by more than {moved:.0e}.")
    met = {bar: [str(row["seed"]) for row in rows if bars(row)[bar]] for bar in bars(rows[0])}
    lines = (f"- {bar}: {', '.join(seeds) or 'none'}" for bar, seeds in met.items())
    parts.append("\n".join(["What must come out, and the seeds where it does:", *lines]))
    return "\n\n".join(parts)


def picture(rows: list[dict]) -> bytes:
    """Weights of an unseen sample of each seed, and errors by epoch, as a PNG file."""
    with matplotlib.rc_context({"font.size": 9}):
        height = (len(rows) + 2) // 2
        figure = Figure(figsize=(9, 3 * height), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(height, 2)
        *panels, last = (figure.add_subplot(grid[n // 2, n % 2]) for n in range(len(rows) + 1))
        for row, axes in zip(rows, panels, strict=True):
            shown = row["never met"]
            places = np.arange(1, len(shown["curves"][0]) + 1)
            axes.axvspan(0.5, BLANKS + 0.5, color="0.92", label="blank steps")
            axes.axvline(
                shown["flagged"] + 1, color="tab:red", linestyle="--", label="flagged step"
            )
            bare = {"color": "tab:orange", "linewidth": 4, "label": "mask left out"}
            axes.plot(places, shown["curves"][1], **bare)
            axes.plot(places, shown["curves"][0], color="tab:blue", label="with its mask")
            axes.set(xlabel="step", ylabel="weight", xlim=(0.5, len(places) + 0.5))
            axes.set(ylim=(-0.03, 1.03), title=f"An unseen sample, seed {row['seed']}")
        panels[0].legend()
        for kind, colour in zip(RATES, ("tab:gray", "tab:blue"), strict=True):
            curves = np.transpose([row[kind]["by_epoch"] for row in rows])
            lines = last.semilogy(np.arange(1, len(curves) + 1), curves, color=colour)
            lines[0].set_label(f"{kind}, a line for each seed")
        last.axhline(VARIANCE, color="black", linestyle=":", label="variance, 1/12")
        last.set(xlabel="epoch", ylabel="mean squared error on dev", title="Error by epoch")
        last.xaxis.get_major_locator().set_params(integer=True)
        last.legend()
        for axes in figure.axes:
            axes.spines[["top", "right"]].set_visible(False)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=144, metadata={"Software": None})
    return file.getvalue()


def experiment(args: argparse.Namespace) -> None:
    if min(args.samples, args.epochs) < 1 or min(args.seeds) < 0:
        sys.exit("Error: --samples and --epochs must be at least 1, and --seeds at least 0")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
    rows = [one_seed(seed, args) for seed in args.seeds]
    if args.out:
        write_whole(args.out / "toy-copy.png", picture(rows))
    if args.json:
        print(json.dumps([{**row, "bars": bars(row)} for row in rows]))
        return
    print(report(rows))


if __name__ == "__main__":
    try:
        experiment(parser.parse_args())
    except (IRAttentionError, OSError) as error:
        sys.exit(f"Error: {error}")
