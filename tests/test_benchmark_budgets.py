"""The benchmark: what single rows are given, and a reference row of an earlier call."""

import json

import pytest

from ir_attention.benchmark import single
from ir_attention.benchmark.config import wanted
from ir_attention.benchmark.jobs import jobs_of
from ir_attention.benchmark.plan import content_sum
from ir_attention.benchmark.single import run_one
from ir_attention.errors import DataError
from ir_attention.training.fitting import train


@pytest.fixture
def data(toy_pairs, tmp_path):
    """A folder of three parts, the toy pairs each."""
    folder = tmp_path / "data"
    folder.mkdir()
    for part in ("train", "dev", "test"):
        toy_pairs.to_csv(folder / f"{part}.tsv", sep="\t", index=False)
    return folder


def test_a_row_may_have_another_budget(data, tmp_path):
    given = {"data": data, "models": "han,bm25,dssm,conv-knrm", "seeds": 1}
    for text, budgets in (
        ("150, dssm=450,conv-knrm=9e2", [150, None, 450, 900]),
        ("dssm=450", [None, None, 450, None]),
        ("150,han:no-matches=9", [150, None, 150, 150]),  # a row that this call does not have
        (20, [20, None, 20, 20]),
    ):
        jobs, _ = jobs_of(wanted({**given, "budget": text}), tmp_path / "out", command="")
        assert [job["budget"] for job in jobs] == budgets
        assert [job["key"]["budget"] for job in jobs] == budgets


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ("", "must be CPU seconds"),
        ("many", "must be CPU seconds"),
        ("150,450", "each once. Received: 150,450"),
        ("han=1,han=2", "each once"),
        ("150,han", "must be CPU seconds"),
        ("150,han=-1", "must be CPU seconds"),
        ("inf", "must be CPU seconds"),
        ("150,hna=3", "no model is called 'hna'"),
        ("150,bm25=3", "goes with a row that is trained in epochs, han. Received: bm25"),
    ],
)
def test_budgets_that_cannot_be(data, budget, message):
    with pytest.raises(DataError, match=message):
        wanted({"data": data, "models": "han,bm25", "budget": budget})


def test_the_reference_may_be_in_the_folder(data, tmp_path):
    given = {"data": data, "models": "bm25", "against": "tfidf"}
    for name in ("tfidf", "", "../bm25"):
        with pytest.raises(DataError, match="must be one of the rows, bm25, or one that is compl"):
            wanted({**given, "against": name}, None, tmp_path / "out")
    jobs, _ = jobs_of(wanted({**given, "models": "tfidf"}), tmp_path / "out", command="x")
    run_one(jobs[0])
    assert wanted(given, None, tmp_path / "out").against == "tfidf"


def test_minilm_is_given_its_folder_and_others_the_vectors(data, tmp_path, monkeypatch):
    """A bm25 trains in the place of MiniLM, which is not installed here."""
    mini, words, given = tmp_path / "mini", tmp_path / "words.txt", []
    (mini / "1_Pooling").mkdir(parents=True)
    (mini / "1_Pooling" / "config.json").write_text("{}")
    (mini / "modules.json").write_text("[]")
    words.write_text("talk 1 0\n")
    asked = {"data": data, "models": "minilm,han,dssm", "seeds": 1, "budget": 9}
    plan = wanted({**asked, "vectors": str(words), "minilm": str(mini)})
    jobs, skipped = jobs_of(plan, tmp_path / "out", command="")
    assert skipped == {}
    assert [(job["vectors"], job["key"]["vectors"]) for job in jobs] == [
        (str(mini), content_sum(mini)),
        (str(words), content_sum(words)),
        (None, None),
    ]
    assert jobs[0]["budget"] is None and jobs[1]["budget"] == 9

    def fake(*pairs, model, vectors, say, **options):
        given.append((model, vectors, options))
        return train(*pairs, model="bm25", say=say)

    monkeypatch.setattr(single, "train", fake)
    facts = run_one(json.loads(json.dumps(jobs[0])))
    assert given == [("minilm", str(mini), {"seed": 7})]
    assert (facts["row"], facts["vectors"], facts["queries"]) == ("minilm", "mini", 48)
    (mini / "modules.json").write_text("[1]")  # another model
    with pytest.raises(DataError, match="must not hold another run than the one .* vectors: "):
        jobs_of(plan, tmp_path / "out", command="")
