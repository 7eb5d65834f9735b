"""Accuracy and its kin against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from ir_attention.errors import DataError
from ir_attention.evaluation.classes import measure_classes


def test_agrees_with_scikit_learn():
    rng = np.random.default_rng(5)
    true, said = rng.choice([1, 2, 7, 10], 300), rng.choice([1, 2, 7, 10], 300)
    found = measure_classes(true, said)
    assert found.accuracy == pytest.approx(accuracy_score(true, said))
    assert found.macro_f1 == pytest.approx(f1_score(true, said, average="macro"))
    assert found.confusion.to_numpy().tolist() == confusion_matrix(true, said).tolist()
    precision, recall, f1, count = precision_recall_fscore_support(true, said)
    np.testing.assert_allclose(found.table["precision"], precision)
    np.testing.assert_allclose(found.table["recall"], recall)
    np.testing.assert_allclose(found.table["F1"], f1)
    assert found.table["documents"].tolist() == count.tolist()
    assert found.table["class"].tolist() == [1, 2, 7, 10]


def test_by_hand():
    found = measure_classes(["a", "a", "b", "b", "b"], ["a", "b", "b", "b", "c"])
    assert found.accuracy == pytest.approx(0.6)
    # Wilson's interval of 3 of 5.
    assert found.interval == pytest.approx((0.2307, 0.8824), abs=1e-4)
    rows = found.table.set_index("class")
    assert rows.loc["a", ["documents", "said", "right"]].tolist() == [2, 1, 1]
    assert rows.loc["c", "precision"] == 0 and np.isnan(rows.loc["c", "recall"])
    # F1 of a 2/3, of b 4/6, of c 0.
    assert found.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert found.to_dict()["classes"][2]["recall"] is None


def test_needs_as_many_of_both():
    with pytest.raises(DataError, match="2 labels and 1 said"):
        measure_classes([1, 2], [1])
    with pytest.raises(DataError, match="0 labels"):
        measure_classes([], [])
