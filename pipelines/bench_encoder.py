"""How fast is the hierarchical encoder, in training and in encoding, beside its peers on the CPU?

    python pipelines/bench_encoder.py                  # documents and tweets, one thread
    python pipelines/bench_encoder.py --threads 2      # ours with two threads as well

The encoder of Yang et al. (2016): a trainable table of 30,000 words x 100, a bidirectional GRU of
50 and attention of 100 over words, the same over sentences. The ways, all of the same weights:

    packed     ours: HierarchicalEncoder in training, models.forward in encoding (NumPy)
    keras      Keras layers, padded and masked, on TensorFlow
    torch      PyTorch as it is mostly written: nn.GRU over pack_padded_sequence, the rest padded,
               batches as they come
    torch data PyTorch with all of it on the packed data, batches of like length

PyTorch is skipped with a reason if it is not installed. A training step is the way there, the way
back, and Adam on every weight, the table's included. What is encoded is a request of eight batches,
by ours as a whole. All ways must agree before any is timed; they then take turns, and medians are
printed. CPU seconds are of the whole process. The floor is how long the useful operations (of real
words alone, training three times those of encoding) would take at the rate of a large matrix
product.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import time

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--texts", nargs="+", default=["documents", "tweets"])
parser.add_argument("--threads", type=int, default=1, help="of ours; the peers get one")
parser.add_argument("--repeats", type=int, default=5)
parser.add_argument("--batch", type=int, help="texts in a batch; default: as SHAPES has it")
parser.add_argument("--seed", type=int, default=7)
args = parser.parse_args()
for name in ("OMP", "OPENBLAS", "MKL"):  # read when the libraries are loaded
    os.environ[f"{name}_NUM_THREADS"] = "1"
os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"

import numpy as np  # noqa: E402

from ir_attention.backend import keras, load_tensorflow  # noqa: E402
from ir_attention.models import forward, packed  # noqa: E402
from ir_attention.models.attention import AttentionPool  # noqa: E402
from ir_attention.models.han import HierarchicalEncoder  # noqa: E402
from ir_attention.runs import spread  # noqa: E402
from ir_attention.training.adam import Adam  # noqa: E402

tf = load_tensorflow()
VOCABULARY, WIDTH, UNITS, POOL, RATE = 30_000, 100, 50, 100, 1e-3
# Texts in a batch of training, and the shapes of texts: sentences, words of a sentence.
SHAPES = {"documents": (64, (5, 15), (8, 36)), "tweets": (256, (1, 3), (5, 20))}
# Batches in a request, and calls in a turn: training is a row of steps, not one after another way.
REQUEST = 8
CALLS = {"training": 4, "encoding": 1}
rng = np.random.default_rng(args.seed)


class Texts:
    """Made-up texts, whose words are as frequent as words are (Zipf and Mandelbrot)."""

    def __init__(self, counts: np.ndarray, lengths: np.ndarray, ids: np.ndarray) -> None:
        self.counts, self.lengths, self.ids = counts, lengths, ids
        # Padded, for the peers: (sents, words) and (documents, sents, words).
        real = np.arange(lengths.max()) < lengths[:, None]
        self.rows = np.zeros(real.shape, "int32")
        self.rows[real] = ids
        self.grid = np.zeros((len(counts), counts.max(), real.shape[1]), "int32")
        self.grid[np.arange(counts.max()) < counts[:, None]] = self.rows
        self.target = rng.normal(size=(len(counts), 2 * UNITS)).astype("float32")

    @classmethod
    def made(cls, name: str, batches: int = 1) -> "Texts":
        batch, sents, words = SHAPES[name]
        batch = args.batch or batch
        counts = rng.integers(sents[0], sents[1] + 1, batches * batch).astype("int32")
        lengths = rng.integers(words[0], words[1] + 1, counts.sum()).astype("int32")
        shares = 1 / (np.arange(1, VOCABULARY) + 2.7)
        ids = 1 + rng.choice(VOCABULARY - 1, lengths.sum(), p=shares / shares.sum())
        texts = cls(counts, lengths, ids.astype("int32"))
        texts.batches = [texts.some(part) for part in np.split(np.arange(len(counts)), batches)]
        total = np.add.reduceat(lengths, np.cumsum(counts) - counts)
        texts.order = np.argsort(counts * 1000 + total // np.maximum(counts, 1), kind="stable")
        texts.alike = [texts.some(part) for part in np.split(texts.order, batches)]
        return texts

    def some(self, numbers: np.ndarray) -> "Texts":
        firsts = np.cumsum(self.counts) - self.counts
        sents = spread(firsts[numbers], self.counts[numbers])
        starts = np.cumsum(self.lengths) - self.lengths
        words = spread(starts[sents], self.lengths[sents])
        return Texts(self.counts[numbers], self.lengths[sents], self.ids[words])


def operations(texts: Texts) -> float:
    """Floating-point operations of encoding: input and recurrent products, and attention."""

    def level(steps: int, width: int) -> float:
        return 2.0 * steps * (2 * 3 * UNITS * (width + UNITS) + 2 * UNITS * POOL + POOL)

    return level(texts.lengths.sum(), WIDTH) + level(texts.counts.sum(), 2 * UNITS)


class Packed:
    """Ours. A table row is looked up once a batch, so that Adam gets one gradient for each."""

    def __init__(self, table: np.ndarray, threads: int = 1) -> None:
        self.threads = threads
        self.encoder = HierarchicalEncoder(UNITS, POOL, seed=args.seed, threads=threads)
        self.encoder.build((None, WIDTH))
        self.table = keras.Variable(table)
        self.variables = [self.table, *self.encoder.trainable_weights]
        self.adam = Adam(RATE)
        self.adam.build(self.variables)
        self.step = tf.function(self._step, reduce_retracing=True)

    def train(self, texts: Texts) -> float:
        unique, places = np.unique(texts.ids, return_inverse=True)
        arrays = (unique.astype("int32"), places.astype("int32"), texts.lengths, texts.counts)
        return float(self.step(*arrays, texts.target))

    def _step(self, unique, places, lengths, counts, target):
        with tf.GradientTape() as tape:
            vectors = tf.gather(self.table.value, unique)
            documents = self.encoder(vectors, lengths, counts, places)
            loss = tf.reduce_mean((documents - target) ** 2)
        self.adam.apply(tape.gradient(loss, [one.value for one in self.variables]))
        return loss

    def prepare(self) -> None:
        """Folds the input product into the table, once for all texts."""
        of_layer = {}
        for level in ("word", "sentence"):
            of_layer |= {
                f"{level}_gru/{name}": np.asarray(weight)
                for name, weight in getattr(self.encoder, f"{level}_gru").named().items()
            }
            pool = getattr(self.encoder, f"{level}_pool")
            of_layer |= {f"{level}_pool/{name}": np.asarray(getattr(pool, name)) for name in "Wbu"}
        self.weights = of_layer
        self.folded = packed.fold(np.asarray(self.table), forward.of_layer(of_layer, "word_gru"))

    def encode(self, texts: Texts) -> np.ndarray:
        return forward.encode_documents(
            self.folded,
            texts.lengths,
            texts.counts,
            self.weights,
            places=texts.ids,
            threads=self.threads,
        )[0]


class Keras:
    """Layers of Keras, padded and masked; sentences are folded into the batch."""

    def __init__(self, table: np.ndarray, ours: Packed) -> None:
        def recurrent(of):
            layer = keras.layers.Bidirectional(keras.layers.GRU(UNITS, return_sequences=True))
            layer.build((None, None, of.forward_layer.cell.kernel.shape[0]))
            layer.set_weights(of.get_weights())
            return layer

        def attention(of):
            layer = AttentionPool(POOL)
            layer.build((None, None, 2 * UNITS))
            layer.set_weights(of.get_weights())
            return layer

        encoder = ours.encoder
        self.words = recurrent(encoder.word_gru), attention(encoder.word_pool)
        self.sentences = recurrent(encoder.sentence_gru), attention(encoder.sentence_pool)
        self.table = keras.layers.Embedding(VOCABULARY, WIDTH, mask_zero=True, weights=[table])
        self.table.build()
        layers = [self.table, *self.words, *self.sentences]
        self.variables = [weight for one in layers for weight in one.trainable_weights]
        self.adam = keras.optimizers.Adam(RATE)
        self.adam.build(self.variables)
        self.step = tf.function(self._step, reduce_retracing=True)
        self.call = tf.function(self._call, reduce_retracing=True)

    def _call(self, grid):
        sents, words = tf.shape(grid)[1], tf.shape(grid)[2]
        rows = tf.reshape(grid, (-1, words))
        mask = rows > 0
        states = self.words[0](self.table(rows), mask=mask)
        vectors = tf.reshape(self.words[1](states, mask=mask), (-1, sents, 2 * UNITS))
        mask = tf.reduce_any(grid > 0, axis=2)
        return self.sentences[1](self.sentences[0](vectors, mask=mask), mask=mask)

    def train(self, texts: Texts) -> float:
        return float(self.step(texts.grid, texts.target))

    def _step(self, grid, target):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self._call(grid) - target) ** 2)
        self.adam.apply(tape.gradient(loss, [one.value for one in self.variables]))
        return loss

    def prepare(self) -> None:
        pass

    def encode(self, texts: Texts) -> np.ndarray:
        return np.concatenate([self.call(batch.grid).numpy() for batch in texts.batches])


class TorchData:
    """PyTorch with everything on packed data: words are looked up and weighed there too."""

    def __init__(self, table: np.ndarray, ours: Packed) -> None:
        import torch

        self.torch, self.rnn = torch, torch.nn.utils.rnn
        torch.set_num_threads(1)
        self.table = torch.nn.Embedding.from_pretrained(torch.tensor(table), freeze=False)
        encoder = ours.encoder
        self.words = self._copied(encoder.word_gru, encoder.word_pool)
        self.sentences = self._copied(encoder.sentence_gru, encoder.sentence_pool)
        modules = [self.table, *self.words[:2], *self.sentences[:2]]
        self.parameters = [one for module in modules for one in module.parameters()]
        self.parameters += [self.words[2], self.sentences[2]]
        # Of its three ways to run Adam the quickest here; the same update as Keras's.
        self.adam = torch.optim.Adam(self.parameters, RATE, eps=1e-7, fused=True)

    def _copied(self, gru, pool):
        """Gates go r, z, candidate in PyTorch, and z, r, candidate in Keras."""
        torch = self.torch
        of = torch.nn.GRU(WIDTH, UNITS, bidirectional=True, batch_first=True)
        for way, suffix in ((gru.forward_layer, ""), (gru.backward_layer, "_reverse")):
            for name, weight in (("ih", way.cell.kernel), ("hh", way.cell.recurrent_kernel)):
                self._set(getattr(of, f"weight_{name}_l0{suffix}"), np.asarray(weight).T, rows=True)
            for name, bias in zip(("ih", "hh"), np.asarray(way.cell.bias), strict=True):
                self._set(getattr(of, f"bias_{name}_l0{suffix}"), bias, rows=True)
        linear = torch.nn.Linear(2 * UNITS, POOL)
        self._set(linear.weight, np.asarray(pool.W).T)
        self._set(linear.bias, np.asarray(pool.b))
        return of, linear, torch.nn.Parameter(torch.tensor(np.asarray(pool.u)[:, 0]))

    def _set(self, parameter, values: np.ndarray, rows: bool = False) -> None:
        if rows:
            z, r, candidate = np.split(values, 3)
            values = np.concatenate([r, z, candidate])
        parameter.data = self.torch.tensor(np.ascontiguousarray(values))

    def _read(self, packed_rows, level):
        gru, linear, context = level
        states, _ = gru(packed_rows)
        logits = self.torch.tanh(linear(states.data)) @ context
        powers = states._replace(data=(logits - logits.max()).exp())
        powers, _ = self.rnn.pad_packed_sequence(powers, batch_first=True)
        states, _ = self.rnn.pad_packed_sequence(states, batch_first=True)
        alpha = powers / powers.sum(dim=1, keepdim=True)
        return self.torch.bmm(alpha[:, None], states)[:, 0]

    def _call(self, texts: Texts):
        torch, rnn = self.torch, self.rnn
        rows = rnn.pack_padded_sequence(
            torch.from_numpy(texts.rows), torch.from_numpy(texts.lengths).long(),
            batch_first=True, enforce_sorted=False,
        )  # fmt: skip
        vectors = self._read(rows._replace(data=self.table(rows.data)), self.words)
        documents = torch.split(vectors, texts.counts.tolist())
        return self._read(rnn.pack_sequence(documents, enforce_sorted=False), self.sentences)

    def train(self, texts: Texts) -> float:
        self.adam.zero_grad()
        loss = ((self._call(texts) - self.torch.from_numpy(texts.target)) ** 2).mean()
        loss.backward()
        self.adam.step()
        return loss.item()

    def prepare(self) -> None:
        pass

    def encode(self, texts: Texts) -> np.ndarray:
        with self.torch.no_grad():
            found = [self._call(batch).numpy() for batch in texts.alike]
        return np.concatenate(found)[np.argsort(texts.order)]


class Torch(TorchData):
    """PyTorch as it is mostly written: the GRU on packed sequences, the rest padded and masked."""

    def _level(self, vectors, lengths, level):
        gru, linear, context = level
        packed_rows = self.rnn.pack_padded_sequence(
            vectors, lengths, batch_first=True, enforce_sorted=False
        )
        states, _ = self.rnn.pad_packed_sequence(gru(packed_rows)[0], batch_first=True)
        logits = self.torch.tanh(linear(states)) @ context
        real = self.torch.arange(states.shape[1])[None] < lengths[:, None]
        alpha = self.torch.softmax(logits.masked_fill(~real, float("-inf")), dim=1)
        return self.torch.bmm(alpha[:, None], states)[:, 0]

    def _call(self, texts: Texts):
        torch = self.torch
        lengths, counts = (torch.from_numpy(x).long() for x in (texts.lengths, texts.counts))
        vectors = self._level(self.table(torch.from_numpy(texts.rows)), lengths, self.words)
        documents = torch.split(vectors, texts.counts.tolist())
        padded = self.rnn.pad_sequence(documents, batch_first=True)
        return self._level(padded, counts, self.sentences)

    def encode(self, texts: Texts) -> np.ndarray:
        with self.torch.no_grad():
            return np.concatenate([self._call(batch).numpy() for batch in texts.batches])


def timed(call) -> tuple[float, float]:
    """CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return time.process_time() - cpu, time.perf_counter() - wall


def matrix_rate() -> float:
    """Operations per CPU second of a large product in NumPy."""
    one, other = (rng.normal(size=shape).astype("float32") for shape in ((2048, 512), (512, 512)))
    seconds = min(timed(lambda: [one @ other for _ in range(8)])[0] for _ in range(5))
    return 8 * 2.0 * 2048 * 512 * 512 / seconds


def compared(ways: dict, texts: Texts, what: str) -> dict:
    """Lets the ways take turns; medians, rates and ratios to ours."""
    seconds = {name: [] for name in ways}
    rates = []
    for turn in range(args.repeats):
        rates.append(matrix_rate())
        for name in [*ways][turn % len(ways) :] + [*ways][: turn % len(ways)]:
            way = ways[name]
            call = getattr(way, "train" if what == "training" else "encode")
            turn = timed(lambda call=call: [call(texts) for _ in range(CALLS[what])])
            seconds[name].append([value / CALLS[what] for value in turn])
    floor = operations(texts) * (3 if what == "training" else 1) / statistics.median(rates)
    row = {"matrix_gflops": round(statistics.median(rates) / 1e9, 1), "floor_ms": 1e3 * floor}
    for name, times in seconds.items():
        cpu, wall = (statistics.median(column) for column in zip(*times, strict=True))
        row[name] = {
            "cpu_ms": 1e3 * cpu,
            "wall_ms": 1e3 * wall,
            "texts_per_cpu_s": len(texts.counts) / cpu,
        }
        row[name]["of_the_floor"] = floor / cpu
        ratio = statistics.median(
            t[0] / o[0] for t, o in zip(times, seconds["packed"], strict=True)
        )
        row[name]["times_ours"] = ratio
        print(
            f"{what:9} {name:12} {1e3 * cpu:8.1f} ms CPU {1e3 * wall:8.1f} ms wall "
            f"{len(texts.counts) / cpu:9.0f} texts per CPU s {100 * floor / cpu:5.0f} % of the "
            f"matrix rate, ours is {ratio:5.2f} x as fast"
        )
    if "packed" in ways and (many := f"{args.threads} threads") in ways:
        walls = zip(seconds["packed"], seconds[many], strict=True)
        row["threads_gain"] = statistics.median(one[1] / two[1] for one, two in walls)
        print(f"{what:9} {args.threads} threads: {row['threads_gain']:.2f} x, wall time")
    return row


table = rng.normal(size=(VOCABULARY, WIDTH)).astype("float32") / 10
results = {}
for name in args.texts:
    texts, request = Texts.made(name), Texts.made(name, REQUEST)
    ways = {"packed": Packed(table)}
    if args.threads > 1:
        ways[f"{args.threads} threads"] = Packed(table, args.threads)
    ways["keras"] = Keras(table, ways["packed"])
    if importlib.util.find_spec("torch"):
        ways["torch"] = Torch(table, ways["packed"])
        ways["torch data"] = TorchData(table, ways["packed"])
    else:
        print("torch: skipped, PyTorch is not installed (pip install torch)")
    for which, one in (("batch", texts), ("request", request)):
        print(
            f"{name}: a {which} of {len(one.counts)} texts, {len(one.lengths)} sentences, "
            f"{len(one.ids)} words ({len(np.unique(one.ids))} distinct)"
        )
    found, losses = {}, {}
    for which, way in ways.items():
        way.prepare()
        found[which] = way.encode(request)
        losses[which] = [way.train(texts) for _ in range(3)]
    for which in ways:
        np.testing.assert_allclose(found[which], found["packed"], atol=1e-5)
        np.testing.assert_allclose(losses[which], losses["packed"], rtol=1e-3)
    print("all ways agree: vectors within 1e-5, losses of three steps within 0.1 %")
    given = {"training": texts, "encoding": request}
    results[name] = {what: compared(ways, one, what) for what, one in given.items()}

machine = {
    "python": platform.python_version(),
    **{name: __import__(name).__version__ for name in ("numpy", "keras", "tensorflow")},
    "torch": __import__("torch").__version__ if importlib.util.find_spec("torch") else None,
    "cores": os.cpu_count(),
}
print(json.dumps({"bench": "encoder", **vars(args), **machine, "results": results}))
