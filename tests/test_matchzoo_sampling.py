"""DataGenerators: counts, order within a batch, seeds, and the caller's pack left alone."""

import numpy as np
import pandas as pd
import pytest

from ir_attention import matchzoo as mz
from ir_attention.errors import DataError


def make_pack(labels):
    """A query for each list of labels, with a document for each label."""
    rows = [
        (f"query {q}", f"document {q} {d}", label)
        for q, list_ in enumerate(labels)
        for d, label in enumerate(list_)
    ]
    return mz.pack(pd.DataFrame(rows, columns=["text_left", "text_right", "label"]))


@pytest.fixture
def pack():
    return make_pack([[0, 1, 0], [1, 0, 1]])  # 6 rows, 3 of them positive


def all_rows(generator):
    return [
        list(row)
        for batch in range(len(generator))
        for x, y in [generator[batch]]
        for row in zip(
            x["id_left"].tolist(), x["id_right"].tolist(), y.ravel().tolist(), strict=True
        )
    ]


def test_points_are_the_rows(pack):
    generator = mz.DataGenerator(pack, batch_size=4, shuffle=False)
    assert len(generator) == 2
    expected = pack.relation.to_numpy().tolist()
    assert all_rows(generator) == expected
    x, y = generator[0]
    assert x["text_right"].tolist() == [f"document {at}" for at in ("0 0", "0 1", "0 2", "1 0")]
    assert y.shape == (4, 1)
    x, y = generator[:]
    assert y.shape == (6, 1)


def test_an_epoch_of_points_is_a_permutation(pack):
    generator = mz.DataGenerator(pack, batch_size=4, seed=7)
    epochs = []
    for _ in range(3):
        epochs.append(all_rows(generator))
        assert sorted(epochs[-1]) == sorted(pack.relation.to_numpy().tolist())
        generator.on_epoch_end()
    assert epochs[0] != epochs[1] or epochs[1] != epochs[2]


@pytest.mark.parametrize("num_dup, num_neg", [(1, 1), (5, 1), (2, 3)])
def test_pairs_are_interleaved(pack, num_dup, num_neg):
    generator = mz.DataGenerator(
        pack, mode="pair", num_dup=num_dup, num_neg=num_neg, batch_size=2, seed=7
    )
    assert len(generator) == -(-3 * num_dup // 2)
    rows = all_rows(generator)
    size = 1 + num_neg
    assert len(rows) == 3 * num_dup * size
    leading = []
    for group in (rows[at : at + size] for at in range(0, len(rows), size)):
        assert [label for *_, label in group] == [1] + [0] * num_neg
        assert len({query for query, *_ in group}) == 1
        leading.append(group[0][1])
    assert sorted(leading) == sorted(["R-1", "R-3", "R-5"] * num_dup)


def test_the_tutorials_batch_has_twenty_rows():
    pack = make_pack([[1, 0, 0]] * 4)
    generator = mz.DataGenerator(pack, mode="pair", num_dup=5, num_neg=1, batch_size=10)
    x, y = generator[0]
    assert len(generator) == 2
    assert x["text_left"].shape == (20,)
    assert y.ravel().tolist() == [1, 0] * 10


def test_every_higher_label_leads():
    relation = make_pack([[0, 2, 1, 1], [1, 1]]).relation
    pairs = mz.DataGenerator._reorganize_pair_wise(relation, rng=np.random.default_rng(3))
    assert pairs.label.tolist()[::2] == [2, 1, 1]
    assert pairs.id_right.tolist()[::2] == ["R-1", "R-2", "R-3"]
    assert pairs.label[1] in (0, 1)
    assert pairs.label.tolist()[3::2] == [0, 0]


@pytest.mark.parametrize("mode", ["point", "pair"])
def test_the_pack_is_left_alone(pack, mode):
    before = pack.frame()
    relation = pack.relation
    generator = mz.DataGenerator(pack, mode=mode, num_dup=2, batch_size=2)
    all_rows(generator)
    generator.on_epoch_end()
    assert pack.relation is relation
    pd.testing.assert_frame_equal(pack.frame(), before)


def test_later_changes_of_the_pack_are_not_seen(pack):
    generator = mz.DataGenerator(pack, batch_size=6, shuffle=False)
    pack.apply_on_text(str.upper, inplace=True, verbose=0)
    pack.drop_label(inplace=True)
    x, y = generator[0]
    assert x["text_left"][0] == "query 0"
    assert y.shape == (6, 1)


def test_a_seed_decides_on_everything(pack):
    def epochs(**settings):
        generator = mz.DataGenerator(pack, mode="pair", num_dup=4, batch_size=3, **settings)
        first = all_rows(generator)
        generator.on_epoch_end()
        return first, all_rows(generator)

    np.random.seed(1)
    one = epochs(seed=7)
    np.random.seed(2)
    assert epochs(seed=7) == one
    assert epochs(seed=np.random.default_rng(7)) == one
    assert epochs(seed=8) != one
    np.random.seed(3)
    other = epochs()
    np.random.seed(3)
    assert epochs() == other
    assert one[0] != one[1]


def test_a_seed_leaves_the_global_state_alone(pack):
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    mz.DataGenerator(pack, mode="pair", seed=7).on_epoch_end()
    assert np.random.random() == expected


@pytest.mark.parametrize("kind", ["DataGenerator", "PairDataGenerator"])
def test_each_epoch_draws_fresh_negatives_from_the_whole_pack(kind):
    """One relevant document and ten others: 60 draws miss one of these once in 50 runs or so."""
    options = {"mode": "pair"} if kind == "DataGenerator" else {}
    generator = getattr(mz, kind)(
        make_pack([[1] + 10 * [0]]), num_dup=1, num_neg=1, batch_size=4, shuffle=False, **options
    )
    generator._rng = np.random.default_rng(7)
    drawn = []
    for _ in range(60):
        (_, leading, _), (_, negative, _) = all_rows(generator)
        assert leading == "R-0"
        drawn.append(negative)
        generator.on_epoch_end()
    assert sorted({*drawn}) == sorted(f"R-{number}" for number in range(1, 11))
    # By chance every tenth is that of the epoch before.
    assert sum(one == other for one, other in zip(drawn, drawn[1:], strict=False)) < 20


def test_without_resampling_the_groups_stay(pack):
    generator = mz.DataGenerator(
        pack, mode="pair", num_dup=9, shuffle=False, resample=False, seed=7
    )
    before = all_rows(generator)
    generator.on_epoch_end()
    assert all_rows(generator) == before


def test_changed_settings_take_effect(pack):
    generator = mz.DataGenerator(pack, shuffle=False, batch_size=2)
    generator.mode = "pair"
    assert len(all_rows(generator)) == 6
    generator.num_neg = 2
    assert [label for *_, label in all_rows(generator)] == [1, 0, 0] * 3
    generator.num_dup = 2
    assert len(generator) == 3
    generator.batch_size = 4
    assert (len(generator), generator.num_neg, generator.num_dup) == (2, 2, 2)
    generator.mode = "point"
    assert all_rows(generator) == pack.relation.to_numpy().tolist()


def test_callbacks_see_each_batch(pack):
    callbacks = mz.data_generator.callbacks
    seen = []
    pooling = callbacks.DynamicPooling(fixed_length_left=3, fixed_length_right=2)
    own = callbacks.LambdaCallback(
        on_batch_data_pack=lambda batch: seen.append(len(batch)),
        on_batch_unpacked=lambda x, y: x.update(
            length_left=np.array([3, 1, 2]), length_right=np.array([2, 2, 1])
        ),
    )
    x, _ = mz.DataGenerator(pack, batch_size=3, callbacks=[own, pooling])[0]
    assert seen == [3]
    assert x["dpool_index"].shape == (3, 3, 2, 2)
    np.testing.assert_array_equal(x["dpool_index"][0, :, 1], [[0, 1], [1, 1], [2, 1]])
    np.testing.assert_array_equal(x["dpool_index"][1, :, 0], [[0, 0], [0, 0], [0, 0]])


def test_histogram_callback(pack):
    numbers = pack.apply_on_text(lambda text: [1, 2, 0], verbose=0)
    numbers.append_text_length(inplace=True, verbose=0)
    callback = mz.data_generator.callbacks.Histogram(np.eye(3), bin_size=3, hist_mode="CH")
    x, _ = mz.DataGenerator(numbers, batch_size=2, callbacks=[callback])[0]
    # A word beside itself falls into the last bin, beside two others into the middle one.
    np.testing.assert_array_equal(x["match_histogram"], [[[1, 3, 2]] * 3] * 2)


def test_builder(pack):
    builder = mz.DataGeneratorBuilder(mode="pair", batch_size=2, seed=7)
    generator = builder.build(pack)
    assert (generator.mode, generator.batch_size) == ("pair", 2)
    assert builder.build(pack, batch_size=64).batch_size == 64
    assert all_rows(generator) == all_rows(builder.build(pack))


def test_old_generators_still_work(pack, capsys):
    generator = mz.PairDataGenerator(pack, num_dup=2, num_neg=1, batch_size=3, shuffle=False)
    assert len(all_rows(generator)) == 12
    assert "will be deprecated in MatchZoo" in capsys.readouterr().out


def test_refusals(pack):
    with pytest.raises(ValueError, match="Received: mode='triple'"):
        mz.DataGenerator(pack, mode="triple")
    with pytest.raises(NotImplementedError, match="no generator of lists. Received: mode='list'"):
        mz.DataGenerator(pack, mode="list")
    with pytest.raises(DataError, match="needs labels. Received: columns"):
        mz.DataGenerator(pack.drop_label(), mode="pair")
    with pytest.raises(DataError, match="Received: 2 queries, with one label each"):
        mz.DataGenerator(make_pack([[0, 0], [1]]), mode="pair")
