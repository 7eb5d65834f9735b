"""The classifier on JAX and PyTorch: it learns there, and its bundles say the same everywhere."""

import json

import numpy as np
import pandas as pd
import pytest
from other_backends import process

from ir_attention.ranking.classifier import Classifier

TRAIN = """
import json, sys, keras
from ir_attention.training import train
trained = train(
    sys.argv[1], model="han-classifier", out=sys.argv[2], epochs=2, width=8, gru=4, pool=3,
    batch=8, learning_rate=0.02, dropout=0.0, word_dropout=0.0, output_dropout=0.0,
    log_every=2, say=lambda line: None,
)
print(json.dumps([keras.config.backend(), trained.history["loss"].tolist()]))
assert (keras.config.backend() == "tensorflow") == ("tensorflow" in sys.modules)
"""

# A bundle's weights in the Keras model of this process' backend.
PROBABILITIES = """
import json, sys, keras, numpy as np
from ir_attention.bundle import Bundle
from ir_attention.models.classifier import HanClassifier, HanClassifierSettings
from ir_attention.ranking.classifier import Classifier
bundle = Bundle.load(sys.argv[1])
weights = dict(bundle.weights)
settings = HanClassifierSettings(**bundle.settings["classifier"])
documents = np.array(json.loads(sys.argv[2]))
model = HanClassifier(weights.pop("table"), settings, steps=documents.shape[:0:-1])
model.load_by_name(weights)
found = model.look(documents)["logits"]
print(json.dumps([keras.config.backend(), found.astype(float).tolist()]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_trains_and_says_the_same(tmp_path, backend):
    pytest.importorskip(backend, reason=f"{backend} is not installed: pip install {backend}")
    rng = np.random.default_rng(3)
    labels = np.arange(48) % 2
    texts = [f"{' '.join(rng.choice(list('abc'), 4))}. {('bad', 'good')[one]} a." for one in labels]
    pd.DataFrame({"text": texts, "label": labels}).to_csv(tmp_path / "texts.csv", index=False)
    document = ["A good b. C!", "bad", "B b b b b b. Good. A c. Bad a"]
    for trainer in (backend, "tensorflow"):
        folder = tmp_path / trainer
        [[first, second]] = process(TRAIN, tmp_path / "texts.csv", folder, backend=trainer)
        assert second < first
        classifier = Classifier.load(folder)
        expected = classifier.probabilities(document)
        padded = classifier._scorer.number(document).padded()
        assert padded.shape[0] == 3 and padded.shape[1] > 1
        for other in (backend, "tensorflow"):
            [found] = process(PROBABILITIES, folder, json.dumps(padded.tolist()), backend=other)
            np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=f"{trainer} {other}")
