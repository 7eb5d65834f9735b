"""Attention over the states of a small LSTM: film reviews as `keras.datasets.imdb` has them.

    python pipelines/imdb_lstm.py imdb.npz      # the file that keras.datasets.imdb downloads
    python pipelines/imdb_lstm.py data/imdb     # the same reviews, numbered here
    python pipelines/imdb_lstm.py imdb.npz --reviews 1000 --epochs 1    # a quick look

The settings are those of lzfelix/keras_attention: the 10,000 most frequent words, reviews cut or
filled up behind to 100 words, word vectors of 16, an LSTM of 16 with half of its inputs and states
dropped, attention of 16, Adam, batches of 32, 5 epochs, a fifth of the training reviews for dev.
Published accuracies on dev: .8114, .8338, .8398, .8352, .8348. The last line is the accuracy on the
test part of the weights of the best epoch.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from ir_attention.backend import keras
from ir_attention.data.keras_imdb import read_keras_imdb
from ir_attention.data.labelled import read_labelled, without_markup
from ir_attention.errors import IRAttentionError
from ir_attention.evaluation.intervals import wilson_interval
from ir_attention.models import AttentionPool
from ir_attention.text import normal, words

# Settings: what another experiment changes.
WORDS, LENGTH = 10_000, 100
WIDTH = 16  # of word vectors, the LSTM and attention
DROPPED = 0.5
BATCH, DEV = 32, 0.2
START, UNKNOWN, OFFSET = 1, 2, 3  # as of `keras.datasets.imdb.load_data`; 0 is padding


def numbered(folder: Path) -> dict[str, tuple[list[np.ndarray], np.ndarray]]:
    """The reviews of a folder as `read_keras_imdb` gives them: 1 is the most frequent word."""
    cut, labels = {}, {}
    for part in ("train", "test"):
        frame = read_labelled(folder / f"{part}.csv.gz")
        labels[part] = frame["label"].to_numpy()
        cut[part] = [[normal(word) for word in words(without_markup(t))] for t in frame["text"]]
    counts = Counter(word for review in cut["train"] for word in review)
    rank = {word: place for place, (word, _) in enumerate(counts.most_common(), 1)}
    return {
        part: ([np.array([rank.get(word, WORDS) for word in one], int) for one in cut[part]], known)
        for part, known in labels.items()
    }


def padded(reviews: list[np.ndarray]) -> np.ndarray:
    """The first words of each review, `(reviews, LENGTH)`, as `load_data` numbers them."""
    rows = np.zeros((len(reviews), LENGTH), np.int32)
    for row, review in zip(rows, reviews, strict=True):
        found = np.concatenate([[START], review[: LENGTH - 1] + OFFSET])
        row[: len(found)] = np.where(found < WORDS, found, UNKNOWN)
    return rows


def network(seed: int) -> keras.Model:
    """Words to the probability that a review is positive."""
    take = iter(int(one) for one in np.random.SeedSequence(seed).generate_state(6) >> 1)
    start = keras.initializers.GlorotUniform
    places = keras.Input((LENGTH,), dtype="int32")
    vectors = keras.layers.Embedding(
        WORDS,
        WIDTH,
        mask_zero=True,
        embeddings_initializer=keras.initializers.RandomUniform(seed=next(take)),
    )(places)
    states = keras.layers.LSTM(
        WIDTH,
        return_sequences=True,
        dropout=DROPPED,
        recurrent_dropout=DROPPED,
        kernel_initializer=start(next(take)),
        recurrent_initializer=keras.initializers.Orthogonal(seed=next(take)),
        seed=next(take),
    )(vectors)
    pooled = AttentionPool(WIDTH, initializer=start(next(take)))(states)
    chance = keras.layers.Dense(1, "sigmoid", kernel_initializer=start(next(take)))(pooled)
    return keras.Model(places, chance)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="imdb.npz, or a folder of datasets/imdb")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--reviews", type=int, help="only so many of each part")
    args = parser.parse_args()
    if not args.file.exists():
        print(f"skipped: no {args.file}. keras.datasets.imdb.load_data() downloads it")
        return
    rng = np.random.default_rng(args.seed)
    parts = {}
    read = numbered if args.file.is_dir() else read_keras_imdb
    for name, (reviews, labels) in read(args.file).items():
        chosen = rng.permutation(len(labels))[: args.reviews]
        parts[name] = padded([reviews[place] for place in chosen]), labels[chosen]
    (cells, labels), test = parts["train"], parts["test"]
    dev = round(len(labels) * DEV)
    model = network(args.seed)
    print(f"{model.count_params():,} weights")
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    best, kept = -1.0, model.get_weights()
    for epoch in range(1, args.epochs + 1):
        order = rng.permutation(np.arange(dev, len(labels)))
        model.fit(cells[order], labels[order], batch_size=BATCH, shuffle=False, verbose=0)
        right = accuracy(model, cells[:dev], labels[:dev])
        print(f"epoch {epoch}: accuracy on dev {right:.4f}", flush=True)
        if right > best:
            best, kept = right, model.get_weights()
    model.set_weights(kept)
    right = accuracy(model, *test)
    low, high = wilson_interval(round(right * len(test[1])), len(test[1]))
    print(f"accuracy on test {right:.4f} [{low:.4f}, {high:.4f}]")


def accuracy(model: keras.Model, cells: np.ndarray, labels: np.ndarray) -> float:
    chances = model.predict(cells, batch_size=256, verbose=0)[:, 0]
    return float(((chances > 0.5) == labels).mean())


if __name__ == "__main__":
    try:
        main()
    except IRAttentionError as error:
        sys.exit(f"Error: {error}")
