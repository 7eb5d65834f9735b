"""`han` in NumPy against a pair at a time in plain loops, as its equations say it."""

import numpy as np
import pytest

from ir_attention.data.arrays import number_texts, pair_arrays
from ir_attention.data.vocabulary import Vocabulary
from ir_attention.models import pair_forward
from ir_attention.models.forward import sigmoid
from ir_attention.models.shapes import matcher_shapes

WORDS = "cat dog winter sport river stone the of run runs".split()
SIZES = {"projection": 5, "attention": 3, "gru": 2, "pool": 7, "hidden": 11, "levels": 2}
QUERIES = [
    ("the cat runs", ["A cat ran. The dog did not.", "", "zyx cat zyx", "Winter of the river cat"]),
    ("zyx of quux", ["quux zyx", "stone. stone zyx. runner cat runs. dog"]),
    ("", ["cat", ""]),
    ("dog", []),
]


def weights_of(scale=0.7):
    rng = np.random.default_rng(2)
    shapes = matcher_shapes(13, **SIZES)
    return {n: (scale * rng.normal(size=size)).astype("float32") for n, size in shapes.items()}


def table_of():
    table = np.random.default_rng(1).normal(size=(len(WORDS) + 1, 13)).astype("float32")
    table[0] = 0
    return table


def arrays_of(queries):
    texts, groups = [], []
    for query, documents in queries:
        groups.append((len(texts), len(texts) + 1 + np.arange(len(documents))))
        texts += [query, *documents]
    return pair_arrays(number_texts(texts, Vocabulary(WORDS, {"cat": 0.9, "the": 0.1})), groups)


# --- a pair at a time


def softmax(x):
    powers = np.exp(x - x.max(initial=-np.inf))
    return powers / powers.sum()


def attend(own, other, w, side):
    """The weights of each of `own` over `other`."""
    left = own @ w[f"{side}_attention/query_kernel"]
    right = other @ w[f"{side}_attention/value_kernel"]
    rows = [
        softmax(np.array([np.tanh(i + j) @ w[f"{side}_attention/scale"][:, 0] for j in right]))
        for i in left
    ]
    return np.array(rows).reshape(len(own), len(other))


def compared(own, other, shares, cosine, features, w, side):
    out = []
    for x, share, angles, given in zip(own, shares, cosine, features, strict=True):
        a = share @ other
        best = max([0, *angles])
        parts = np.concatenate([x, a, x * a, np.abs(x - a), given, [best]])
        kernel, bias = w[f"{side}_compare/kernel"], w[f"{side}_compare/bias"]
        out.append(np.maximum(parts @ kernel + bias, 0))
    return np.array(out).reshape(len(own), SIZES["hidden"])


def read(steps, w, level):
    """Both directions of a GRU."""
    units, sides = SIZES["gru"], []
    for way in ("forward", "backward"):
        kernel, inner, bias = (
            w[f"document_encoder/{level}_gru/{way}_{name}"]
            for name in ("kernel", "recurrent_kernel", "bias")
        )
        state, states = np.zeros(units), []
        for x in steps if way == "forward" else steps[::-1]:
            (xz, xr, xc), (hz, hr, hc) = (
                np.split(one, 3) for one in (x @ kernel + bias[0], state @ inner + bias[1])
            )
            z, r = sigmoid(xz + hz), sigmoid(xr + hr)
            state = z * state + (1 - z) * np.tanh(xc + r * hc)
            states.append(state)
        sides.append(states if way == "forward" else states[::-1])
    return np.concatenate(sides, axis=1)


def pooled(steps, w, layer, width):
    if not len(steps):
        return np.zeros(width), np.zeros(0)
    hidden = np.tanh(steps @ w[f"{layer}/W"] + w[f"{layer}/b"])
    alpha = softmax(hidden @ w[f"{layer}/u"][:, 0])
    return alpha @ steps, alpha


def score_by_hand(query, document, lengths, features, table, w):
    """The score, and the weights of words, sentences and query words, and of both attentions."""
    known = [
        sigmoid(t @ w["projection/gate_kernel"] + w["projection/gate_bias"])
        * np.tanh(t @ w["projection/kernel"] + w["projection/bias"])
        for t in (table[query], table[document])
    ]
    unit = [
        table[ids] / np.maximum(np.linalg.norm(table[ids], axis=1, keepdims=True), 1e-9)
        for ids in (query, document)
    ]
    q, d = known
    cosine = unit[1] @ unit[0].T
    of_document, of_query, overall = features
    over_query = attend(d, q, w, "document") if len(q) else np.zeros((len(d), 0))
    over_document = attend(q, d, w, "query") if len(d) else np.zeros((len(q), 0))
    rows = compared(d, q, over_query, cosine, of_document, w, "document")
    sents, alphas = [], []
    for part in np.split(rows, np.cumsum(lengths)[:-1]) if len(lengths) else []:
        vector, alpha = pooled(read(part, w, "word"), w, "document_encoder/word_pool", 4)
        sents.append(vector)
        alphas.append(alpha)
    states = read(np.array(sents), w, "sentence") if sents else np.zeros((0, 4))
    vector, beta = pooled(states, w, "document_encoder/sentence_pool", 4)
    rows = compared(q, d, over_document, cosine.T, of_query, w, "query")
    asked, gamma = pooled(rows, w, "query_pool", SIZES["hidden"])
    hidden = np.concatenate([vector, asked, overall])
    hidden = np.maximum(hidden @ w["score_hidden/kernel"] + w["score_hidden/bias"], 0)
    score = hidden @ w["score_output/kernel"] + w["score_output/bias"]
    score = score + overall @ w["score_skip/kernel"]
    alpha = np.concatenate([*alphas, np.zeros(0)])
    return score[0], (alpha, beta, gamma, over_query, over_document)


@pytest.mark.parametrize(
    ("name", "value"), [("_CELLS", 1024), ("_CELLS", 1), ("_ROWS", 3), ("_PADDED", 1)]
)
@pytest.mark.parametrize("scale", [0.7, 30.0])
def test_against_a_pair_at_a_time(scale, name, value, monkeypatch):
    """In one block and in many; with logits so large that their exponentials are not kept."""
    monkeypatch.setattr(pair_forward, name, value)
    arrays, table, w = arrays_of(QUERIES), table_of(), weights_of()
    for side in ("document", "query"):
        w[f"{side}_attention/query_kernel"] = scale / 0.7 * w[f"{side}_attention/query_kernel"]
    scores, looks = pair_forward.score_pairs(arrays, table, w)
    exact = {name: weight.astype(float) for name, weight in w.items()}
    of_query = np.split(arrays.query, np.cumsum(arrays.query_lengths)[:-1])
    word = sent = cell = 0
    seen = dict.fromkeys(range(len(of_query)), 0)
    for pair, number in enumerate(arrays.pair_query.tolist()):
        lengths = arrays.sentence_lengths[sent : sent + arrays.sentence_counts[pair]]
        size, asked = int(lengths.sum()), len(of_query[number])
        words, cells = slice(word, word + size), slice(cell, cell + asked)
        features = (
            arrays.document_features[words],
            arrays.query_features[cells],
            arrays.overall[pair],
        )
        ids = arrays.pieces[of_query[number]], arrays.pieces[arrays.document[words]]
        score, (alpha, beta, gamma, over_query, over_document) = score_by_hand(
            *ids, lengths, features, table.astype(float), exact
        )
        np.testing.assert_allclose(scores[pair], score, atol=2e-5)
        np.testing.assert_allclose(looks.words[words], alpha, atol=1e-5)
        np.testing.assert_allclose(looks.sentences[sent : sent + len(lengths)], beta, atol=1e-5)
        np.testing.assert_allclose(looks.query[cells], gamma, atol=1e-5)
        grids = [grid[seen[number] : seen[number] + size] for grid in looks.grids[number]]
        np.testing.assert_allclose(grids[0], over_query, atol=1e-5)
        np.testing.assert_allclose(grids[1], over_document.T, atol=1e-5)
        word, sent, cell = word + size, sent + len(lengths), cell + asked
        seen[number] += size
    assert (word, sent) == (len(arrays.document), len(arrays.sentence_lengths))
    assert len(looks.grids) == len(QUERIES)


def test_words_of_a_whole_request_give_the_same():
    arrays, table, w = arrays_of(QUERIES), table_of(), weights_of()
    expected = pair_forward.score_pairs(arrays, table, w)[0]
    given = pair_forward.score_words(arrays, pair_forward.Words.of_table(table, w), w)
    np.testing.assert_allclose(given, expected, atol=1e-6)


def test_no_pairs():
    arrays = arrays_of([("cat", []), ("", [])])
    scores, looks = pair_forward.score_pairs(arrays, table_of(), weights_of())
    assert scores.shape == looks.query.shape == (0,)
    assert [one.shape for one in looks.grids[0]] == [(0, 1), (0, 1)]
