"""Bundles of MatchZoo's models as a stranger may have made them: refused before they cost much."""

import json

import numpy as np
import pytest

import ir_attention.matchzoo as mz
from ir_attention.backend import load_tensorflow
from ir_attention.errors import BundleError, DataError
from ir_attention.models.baseline_parts import MOST_QUERY_WORDS, bundle_errors
from ir_attention.models.baselines import Baseline, global_seed
from ir_attention.models.recipes import BASELINES

WORDS = {name: recipe.document_words for name, recipe in BASELINES.items()}
ACTIVATION = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}


@pytest.fixture(scope="module")
def untrained(toy_pairs):
    """`untrained(name)`: a narrow model, made once, as parts that have been through JSON."""
    kept = {}

    def untrained(name):
        if name not in kept:
            recipe = BASELINES[name]
            parameters = {"embedding_output_dim": 3} if recipe.reads == "words" else {}
            with global_seed(7):
                baseline = Baseline.fitted(
                    name,
                    mz.pack(toy_pairs),
                    lengths=(5, recipe.document_words),
                    parameters=parameters,
                )
            weights, *plain = baseline.parts()
            vocabulary, settings = json.loads(json.dumps(plain))
            kept[name] = baseline, (weights, vocabulary, {"model": name, **settings})
        return kept[name]

    return untrained


@pytest.mark.parametrize("name", ["drmm", "dssm"])
def test_parts_come_back(untrained, name):
    baseline, parts = untrained(name)
    again = Baseline.from_parts(*parts)
    texts = ["flood in Oslo", ""], ["a flood", "flood"]
    np.testing.assert_array_equal(again.score(*texts), baseline.score(*texts))
    for one, other in zip(again.parts()[1:], parts[1:], strict=True):
        assert one == {key: value for key, value in other.items() if key != "model"}


def damage(name, message, **changes):
    """A case: each change is `kind=(key, value)`, where a value of None takes the key away."""
    return pytest.param(name, message, changes, id=f"{name}-{message[:60]}")


def parameter(name, key, value, message=None):
    """A parameter of another value than the recipe's."""
    rule = rf"does not describe a {name} of this version: '{key}' must be"
    return damage(name, message or rule, baseline=(key, value))


CASES = [
    # A parameter that no training sets must be the recipe's, whatever it is.
    *(
        parameter("match-pyramid", key, value)
        for key, value in [
            ("padding", None),
            ("padding", "valid"),
            ("num_blocks", 10**30),
            ("num_blocks", 1),
            ("kernel_count", []),
            ("activation", ACTIVATION),
            ("activation", "tanh"),
            ("embedding_input_dim", 10**9),
            ("input_shapes", [[10**9], [10**9]]),
        ]
    ),
    parameter("knrm", "kernel_num", 10**6, "'kernel_num' must be 21. Received: 1000000"),
    parameter("dssm", "mlp_num_layers", 10**30),
    parameter("dssm", "mlp_num_units", "many", "'mlp_num_units' must be 300. Received: 'many'"),
    parameter("dssm", "mlp_num_units", [[[[[[[[["x" * 999] * 99]]]]]]]]),
    parameter("dssm", "unheard", 1, "'unheard' must be None. Received: 1"),
    parameter("dssm", "x" * 9999, 1, r"'x+\.\.\.x+' must be None"),
    parameter("dssm", "task", "ranking", "'task' must be None. Received: 'ranking'"),
    parameter("dssm", "optimizer", ACTIVATION, "'optimizer' must be None"),
    parameter("dssm", "model_class", "DSSM", "'model_class' must be None"),
    parameter("drmm", "with_multi_layer_perceptron", 0),
    # What a training does set has a rule.
    *(
        parameter("drmm", "embedding_output_dim", value, r"number from 1 to 4096\. Received: ")
        for value in (10**9, 0, True, "3", None)
    ),
    *(
        parameter("cdssm", "dropout_rate", value, "at least 0 and below 1")
        for value in (1, -0.1, float("nan"), "0.1", [], True)
    ),
    parameter("drmm", "embedding_output_dim", 4, r"a weight should have shape \(\d+, 4\), for"),
    damage("drmm", "an object `baseline`. Received: NoneType", settings=("baseline", None)),
    damage("drmm", "an object `baseline`. Received: list", settings=("baseline", [])),
    damage("drmm", "names no model of MatchZoo.*model='dssn'", settings=("model", "dssn")),
    # Words decide on no weight of these.
    *(
        damage(name, "at most 512 words of a query.* 513$", settings=("words", [513, 5]))
        for name in ("knrm", "match-pyramid")
    ),
    damage("match-pyramid", "at most .* words of a document", settings=("words", [5, 999])),
    *(
        damage("drmm", "two whole numbers of at least 1. Received: ", settings=("words", words))
        for words in (None, [5], [5, 0], [5, 1.5], [5, True], "55", {"5": 5})
    ),
    # Terms and weights fit together.
    *(
        damage("cdssm", "must be a list of different strings", vocabulary=("terms", terms))
        for terms in (None, "abc", ["x", "x"], ["x", 5])
    ),
    damage("drmm", "a list of different strings", vocabulary=("document_terms", None)),
    *(
        damage(name, rf"an unknown one\. Received: {len(one)} terms", vocabulary=("terms", one))
        for name, one in (("dssm", ["<PAD>"]), ("drmm", []))
    ),
    damage("dssm", r"must be \[\[3\], \[3\]\]\. Received: ", vocabulary=("terms", ["a", "b", "c"])),
    damage(
        "dssm",
        r"should have shape \(2, 300\), for 2 terms",
        vocabulary=("terms", ["a", "b"]),
        baseline=("input_shapes", [[2], [2]]),
    ),
    damage(
        "cdssm",
        r"should have shape \(3, 2, 64\), for 2 terms",
        vocabulary=("terms", ["a", "b"]),
        baseline=("input_shapes", [[5, 2], [WORDS["cdssm"], 2]]),
    ),
    *(
        damage("dssm", rf"'{key}' should have shape None\. Received", weights=(key, np.ones(2)))
        for key in ("more", "compared")
    ),
    *(
        damage("drmm", "compared should have shape .* hold vectors of length 1", weights=one)
        for one in (("compared", None), ("compared", np.ones((2, 3))), ("compared", np.ones(3)))
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "message", "changes"), CASES)
def test_damage_is_said(untrained, monkeypatch, name, message, changes):
    weights, vocabulary, settings = (dict(part) for part in untrained(name)[1])
    inner = settings["baseline"] = dict(settings["baseline"])
    parts = {"weights": weights, "vocabulary": vocabulary, "settings": settings, "baseline": inner}
    for kind, (key, value) in changes.items():
        parts[kind][key] = value
        if value is None:
            del parts[kind][key]
    if "weights" not in changes:  # then no network may be built at all
        monkeypatch.setattr(Baseline, "__init__", None)
    with pytest.raises(BundleError, match=message) as caught:
        Baseline.from_parts(weights, vocabulary, settings)
    assert len(str(caught.value)) < 1000 and "\n" not in str(caught.value)


def test_weights_that_are_not_the_networks(untrained):
    weights, vocabulary, settings = untrained("drmm")[1]
    last = [name for name in weights if name != "compared"][-1]
    for changed, message in (
        ({**weights, last: np.ones(2)}, rf"'{last}' should have shape \(1,\)\. Received: \(2,\)"),
        ({**weights, "compared": 2 * weights["compared"]}, "vectors of length 1"),
        ({name: one for name, one in weights.items() if name != last}, "Received: None"),
    ):
        with pytest.raises(BundleError, match=message):
            Baseline.from_parts(changed, vocabulary, settings)


def test_a_network_that_cannot_be_built(untrained):
    """A query of one word is too short for ARC-I, which pools four at a time."""
    weights, vocabulary, settings = untrained("arc-i")[1]
    inner = {**settings["baseline"], "input_shapes": [[1], [WORDS["arc-i"]]]}
    settings = {**settings, "words": [1, WORDS["arc-i"]], "baseline": inner}
    with pytest.raises(BundleError, match="does not describe a arc-i \\(") as caught:
        Baseline.from_parts(weights, vocabulary, settings)
    assert "\n" not in str(caught.value)


def test_whatever_tensorflow_says_is_one_line():
    errors = load_tensorflow().errors
    for error in (
        errors.ResourceExhaustedError(None, None, "too\n much"),
        MemoryError("too\n much"),
        IndexError("too\n much"),
        AttributeError("too\n much"),
        OverflowError("too\n much"),
    ):
        with pytest.raises(BundleError, match=r"does not describe a dssm \(too much\)"):
            with bundle_errors("dssm"):
                raise error
    with pytest.raises(KeyboardInterrupt), bundle_errors("dssm"):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("lengths", "width", "message"),
    [
        ((MOST_QUERY_WORDS + 1, 5), 3, "at most 512 words of a query can be read. Received: 513"),
        ((5, 999), 3, f"at most {WORDS['match-pyramid']} words of a document.* Received: 999"),
        ((5, 5), 4097, "vectors of words can be 4096 numbers wide at most. Received: 4097"),
    ],
)
def test_what_could_not_be_loaded_is_not_trained(toy_pairs, lengths, width, message):
    parameters = {"embedding_output_dim": width}
    with pytest.raises(DataError, match=f"match-pyramid: {message}"):
        Baseline.fitted("match-pyramid", toy_pairs, lengths=lengths, parameters=parameters)
