"""A trained model, and the pairs it was trained on, as the command line takes them."""

import pytest

from ir_attention.ranking import Ranker


@pytest.fixture(scope="session")
def bundle(toy_trained):
    return str(toy_trained[0].folder)


@pytest.fixture(scope="session")
def ranker(bundle):
    return Ranker.load(bundle)


@pytest.fixture
def pairs(toy_pairs, tmp_path):
    """The toy pairs as a file."""
    path = tmp_path / "pairs.tsv"
    toy_pairs.to_csv(path, sep="\t", index=False)
    return str(path)
