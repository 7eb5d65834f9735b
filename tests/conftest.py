"""What several rooms test with: toy pairs, and one small model trained on them."""

import functools
import gc

import numpy as np
import pandas as pd
import pytest
import typer

TOPICS = "flood election match vaccine strike comet museum harbour drought verdict".split()
PLACES = "Oslo Quito Perth Lagos Turin Hanoi Malmo Leeds".split()


def pytest_collection_finish():
    """What is imported stays: the collector went through it all for a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def commands_made_once():
    """The runner of Typer makes all commands anew for each call: longer than most calls take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", functools.cache(typer.main.get_command))
        yield


@pytest.fixture(scope="session")
def toy_pairs():
    """48 headlines with 5 tweets each, 2 of them relevant; relevant ones share topic and place."""
    rng = np.random.default_rng(3)
    rows = []
    for number in range(48):
        topic, place = TOPICS[number % 10], PLACES[number % 8]
        query = f"{topic} in {place} {number}"
        for candidate in range(5):
            if candidate < 2:
                text = f"so the {topic} near #{place} ... wow. {rng.choice(TOPICS)}!"
            else:
                text = f"{rng.choice(TOPICS)} talk again, {rng.choice(PLACES)}? never mind"
            rows.append((f"Q{number}", query, f"D{number}-{candidate}", text, int(candidate < 2)))
    columns = ["id_left", "text_left", "id_right", "text_right", "label"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sample(frac=1, random_state=5, ignore_index=True)


@pytest.fixture(scope="session")
def toy_bi(toy_pairs, tmp_path_factory):
    """A `han-bi` after two epochs on the toy pairs."""
    from ir_attention.training import train

    out = tmp_path_factory.mktemp("toy") / "han-bi"
    return train(toy_pairs, model="han-bi", out=out, epochs=2, seed=7, say=lambda line: None)


@pytest.fixture(scope="session")
def toy_trained(toy_pairs, tmp_path_factory):
    """A `han` after two epochs on the toy pairs, and the bundle it left."""
    from ir_attention.training import train

    said = []
    trained = train(
        toy_pairs, out=tmp_path_factory.mktemp("toy") / "han", epochs=2, seed=7, say=said.append
    )
    return trained, said
