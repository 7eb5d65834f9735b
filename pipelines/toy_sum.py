"""Attention finds the steps that count: the sum of two flagged values out of 32.

    python pipelines/toy_sum.py                # three seeds, some two minutes
    python pipelines/toy_sum.py --out docs     # the picture too: docs/toy-sum.png
    python pipelines/toy_sum.py --seeds 7 --samples 200 --epochs 2    # a quick look

A sample has rows `(value, flag)`, values drawn evenly from [0, 1). Two flags are 1, the others are
0, and the target is the sum of the values beside those. The states of an LSTM of 4 units are
averaged by `MeanPool` or weighted by `AttentionPool`. The settings are the published ones of
lzfelix/keras_attention but for two, FORGET_BIAS and LAST_EPOCH; `--forget-bias --last-epoch` has
these too as published.
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
from ir_attention.models import AttentionPool, MeanPool

# Settings: what another experiment changes.
SEEDS = [7, 8, 9]
SAMPLES = 1000  # to learn from; as many for the error by epoch; as many, unseen, to measure
STEPS = 32
FLAGS = 2
UNITS = 4
EPOCHS, BATCH = 20, 32
RATES = {"average": 1e-1, "attention": 5e-2}  # of Adam
# Whether the forget gates' bias starts at 1, Keras' default and so as published. States then change
# slowly, and for some starts attention settles on the first steps, before the LSTM has come to rest
# (seed 8), or one step late. Chosen on the dev samples of 24 other seeds: of these 21 met the bars
# below with it, 23 without.
FORGET_BIAS = False
# Whether the weights of the last epoch stay, as published, or those of the epoch that is best on
# dev: at rates as high as these the error jumps to and fro.
LAST_EPOCH = False
VARIANCE = FLAGS / 12  # of a sum: the error of whoever always says 1
EVEN = FLAGS / STEPS  # what the flags weigh together if all steps weigh the same

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
add = parser.add_argument
add("--seeds", type=int, nargs="+", default=SEEDS)
add("--samples", type=int, default=SAMPLES, help="in each of the three parts")
add("--epochs", type=int, default=EPOCHS)
add("--forget-bias", action="store_true", default=FORGET_BIAS, help="let it start at 1")
add("--last-epoch", action="store_true", default=LAST_EPOCH, help="keep it, be it the best or not")
add("--out", type=Path, help="a folder for the picture, toy-sum.png")
add("--json", action="store_true", help="one JSON object in place of the table")


# Data: inputs `(samples, steps, 2)`, targets `(samples,)`, flagged steps in order `(samples, 2)`.
class Samples(NamedTuple):
    inputs: np.ndarray
    target: np.ndarray
    flagged: np.ndarray


def draw(rng: np.random.Generator, samples: int, steps: int = STEPS) -> Samples:
    values = rng.random((samples, steps), dtype=np.float32)
    shuffled = rng.permuted(np.tile(np.arange(steps), (samples, 1)), axis=1)
    flagged = np.sort(shuffled[:, :FLAGS], axis=1)
    flags = np.zeros_like(values)
    np.put_along_axis(flags, flagged, 1, axis=1)
    return Samples(np.stack([values, flags], axis=2), (values * flags).sum(axis=1), flagged)


# Models: one to be trained and, of the same layers, one that gives the weights of the steps.
class Net(NamedTuple):
    model: keras.Model
    weights: keras.Model


def build(seed: int, kind: str, forget_bias: bool = FORGET_BIAS) -> Net:
    """LSTM, `MeanPool` or `AttentionPool`, Dense. Each weight has a seed of its own."""
    glorot, orthogonal = keras.initializers.GlorotUniform, keras.initializers.Orthogonal
    seeds = iter(range(10 * seed, 10 * seed + 10))
    inputs = keras.Input((None, 2))
    lstm = keras.layers.LSTM(
        UNITS,
        return_sequences=True,
        kernel_initializer=glorot(next(seeds)),
        recurrent_initializer=orthogonal(seed=next(seeds)),
        unit_forget_bias=forget_bias,
        use_cudnn=False,  # so that a GPU computes what a CPU does
    )
    dense = keras.layers.Dense(1, kernel_initializer=glorot(next(seeds)))
    pools = {
        "average": MeanPool(return_weights=True),
        "attention": AttentionPool(initializer=glorot(next(seeds)), return_weights=True),
    }
    pooled, weights = pools[kind](lstm(inputs))
    model = keras.Model(inputs, dense(pooled))
    # To compile the loop over the steps would take longer than to run it.
    model.compile(keras.optimizers.Adam(RATES[kind]), "mse", jit_compile=False)
    return Net(model, keras.Model(inputs, weights))


def fit(net: Net, train: Samples, dev: Samples, args: argparse.Namespace, seed: int) -> list[float]:
    """Learns in an order drawn by seed; returns the mean squared error on dev by epoch."""
    rng, errors = np.random.default_rng(seed), []
    for _ in range(args.epochs):
        order = rng.permutation(len(train.target))
        inputs, target = train.inputs[order], train.target[order]
        net.model.fit(inputs, target, batch_size=BATCH, shuffle=False, verbose=0)
        errors.append(float(squared_errors(net, dev).mean()))
        if args.last_epoch or not errors[-1] > min(errors):
            kept = net.model.get_weights()
    net.model.set_weights(kept)
    return errors


def squared_errors(net: Net, samples: Samples) -> np.ndarray:
    answers = net.model.predict(samples.inputs, batch_size=500, verbose=0)[:, 0]
    return (answers - samples.target) ** 2


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


def one_seed(seed: int, args: argparse.Namespace) -> dict:
    rng = np.random.default_rng(seed)
    train, dev, test = (draw(rng, args.samples) for _ in range(3))
    row, errors = {"seed": seed}, {}
    for kind in RATES:
        print(f"seed {seed}: {kind}, {args.epochs} epochs", file=sys.stderr, flush=True)
        net = build(seed, kind, args.forget_bias)
        by_epoch = fit(net, train, dev, args, seed)
        errors[kind] = squared_errors(net, test)
        row[kind] = {"mse": mean(errors[kind]), "by_epoch": by_epoch}
        row[kind]["dev"] = float(squared_errors(net, dev).mean())
    row["difference"] = mean(errors["attention"] - errors["average"])

    # Where the attention looked.
    found = net.weights.predict(test.inputs, batch_size=500, verbose=0)
    largest = np.sort(np.argsort(-found, axis=1)[:, :FLAGS], axis=1)
    row["hits"] = share((largest == test.flagged).all(axis=1))
    row["on_flags"] = mean(np.take_along_axis(found, test.flagged, axis=1).sum(axis=1))
    row["times_even"] = [value / EVEN for value in row["on_flags"]]
    row["curve"], row["flagged"] = found[0].tolist(), test.flagged[0].tolist()
    return row


def bars(row: dict) -> dict[str, bool]:
    """What must come out of each seed, and whether it did."""
    attention, average = row["attention"]["mse"][0], row["average"]["mse"][0]
    return {
        "attention: MSE at most .015": attention <= 0.015,
        "attention: MSE below that of the average": attention < average,
        "two largest weights on the flags: at least 85 %": row["hits"][0] >= 0.85,
        "weight on the flags: at least 5 times even": row["times_even"][0] >= 5,
    }


# Output: columns by head, each with where its value is and how it is written.
COLUMNS = {
    "average, MSE": (lambda row: row["average"]["mse"], ".4f"),
    "attention, MSE": (lambda row: row["attention"]["mse"], ".4f"),
    "attention less average": (lambda row: row["difference"], "+.4f"),
    "two largest weights on the flags, of samples": (lambda row: row["hits"], ".1%"),
    f"weight on the flags (even: {EVEN:.3f})": (lambda row: row["on_flags"], ".3f"),
    "times even": (lambda row: row["times_even"], ".1f"),
}


def table(rows: list[dict]) -> str:
    """In Markdown: a line for each seed, with the intervals, and one for the mean over seeds."""
    lines = [["seed", *COLUMNS], ["---:"] * (len(COLUMNS) + 1)]
    for row in rows:
        values = [(value(row), spec) for value, spec in COLUMNS.values()]
        lines.append([str(row["seed"]), *(cell(*value) for value in values)])
    means = [(np.mean([value(row)[0] for row in rows]), spec) for value, spec in COLUMNS.values()]
    lines.append(["mean", *(format(*value) for value in means)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: list[float], spec: str) -> str:
    value, low, high = (format(number, spec) for number in value)
    return f"{value} ({low} to {high})"


def report(rows: list[dict]) -> str:
    met = {bar: [str(row["seed"]) for row in rows if bars(row)[bar]] for bar in bars(rows[0])}
    lines = (f"- {bar}: {', '.join(seeds) or 'none'}" for bar, seeds in met.items())
    parts = [
        f"Summing {FLAGS} values of {STEPS}: mean squared error (MSE) of sums from 0 to {FLAGS}, "
        "and the attention's weights.\nIn brackets, 95 % intervals over the unseen samples.",
        table(rows),
        "\n".join(["What must come out, and the seeds where it does:", *lines]),
    ]
    return "\n\n".join(parts)


def picture(rows: list[dict]) -> bytes:
    """Weights of an unseen sample of each seed, and errors by epoch, as a PNG file."""
    with matplotlib.rc_context({"font.size": 9}):
        height, top = (len(rows) + 2) // 2, 1.1 * max(max(row["curve"]) for row in rows)
        figure = Figure(figsize=(9, 3 * height), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(height, 2)
        *panels, last = (figure.add_subplot(grid[n // 2, n % 2]) for n in range(len(rows) + 1))
        for row, axes in zip(rows, panels, strict=True):
            places = np.arange(1, len(row["curve"]) + 1)
            first, second = row["flagged"]
            axes.axvline(first + 1, color="tab:red", linestyle="--", label="flagged steps")
            axes.axvline(second + 1, color="tab:red", linestyle="--")
            axes.axhline(1 / STEPS, color="tab:gray", label="average")
            axes.plot(places, row["curve"], color="tab:blue", label="attention")
            axes.set(xlabel="step", ylabel="weight", xlim=(0.5, len(places) + 0.5))
            axes.set(ylim=(-0.02, top), title=f"An unseen sample, seed {row['seed']}")
        panels[0].legend()
        for kind, colour in zip(RATES, ("tab:gray", "tab:blue"), strict=True):
            curves = np.transpose([row[kind]["by_epoch"] for row in rows])
            lines = last.semilogy(np.arange(1, len(curves) + 1), curves, color=colour)
            lines[0].set_label(f"{kind}, a line for each seed")
        last.axhline(VARIANCE, color="black", linestyle=":", label="variance, 1/6")
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
        write_whole(args.out / "toy-sum.png", picture(rows))
    if args.json:
        print(json.dumps([{**row, "bars": bars(row)} for row in rows]))
        return
    print(report(rows))


if __name__ == "__main__":
    try:
        experiment(parser.parse_args())
    except (IRAttentionError, OSError) as error:
        sys.exit(f"Error: {error}")
