"""MatchZoo's data sets and vectors from local copies and archives: made-up files, no network."""

import importlib
import zipfile

import numpy as np
import pytest

from ir_attention import matchzoo as mz
from ir_attention.errors import DataError
from ir_attention.matchzoo import local_copies

WIKI_QA = """QuestionID\tQuestion\tDocumentID\tDocumentTitle\tSentenceID\tSentence\tLabel
Q1\twho built "it\tD1\tIt\tD1-0\tAnn built it\t1
Q1\twho built "it\tD1\tIt\tD1-1\tIt is old\t0
Q4\twhy\tD4\tWhy\tD4-0\tNobody knows\t0
"""
SNLI = """gold_label\tsentence1_binary_parse\tsentence1\tsentence2
neutral\t( a )\tA man sleeps\tHe dreams
-\t( a )\tA man sleeps\tHe runs
entailment\t( a )\tA cat runs\tIt moves
contradiction\t( a )\tA cat runs\t
"""
QUORA = """id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate
0\t11\t12\tHow so?\tWhy so?\t1
1\t13\t14\tHow so?\tIs it\ttoo\tmany\ttabs?\t0
2\t15\t16\tWho am I?\tWhat is it?\t0
"""
THREAD = """<OrgQuestion ORGQ_ID="{number}"><OrgQBody>Where to {number}?</OrgQBody>
<Thread><RelQuestion RELQ_ID="{number}_R1" RELQ_RELEVANCE2ORGQ="{label}">
<RelQBody>The way to {number}?</RelQBody></RelQuestion>
<RelComment RELC_ID="{number}_C1" RELC_RELEVANCE2RELQ="Good" RELC_RELEVANCE2ORGQ="Bad">
<RelCText>Straight on</RelCText></RelComment>
<RelComment RELC_ID="{number}_C2" RELC_RELEVANCE2RELQ="PotentiallyUseful"
RELC_RELEVANCE2ORGQ="Good"><RelCText>Turn left</RelCText></RelComment></Thread></OrgQuestion>"""
CQA = "<xml>{}{}</xml>".format(
    THREAD.format(number="Q7", label="PerfectMatch"), THREAD.format(number="Q8", label="Irrelevant")
)
TOY = ",id_left,text_left,id_right,text_right,label\n0,Q1,who,D1,she,1.0\n1,Q1,who,D2,x,0.0\n"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The folder of the local copies, which does not exist yet."""
    folder = tmp_path / "data"
    monkeypatch.setattr(mz, "USER_DATA_DIR", folder)
    return folder


@pytest.fixture
def local(data, monkeypatch):
    """The same, where nothing may be downloaded."""
    monkeypatch.setattr(local_copies, "_download", None)
    return data


def put(folder, files):
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def labels(pack):
    return pack.relation["label"].tolist()


def test_the_folder_is_set_in_matchzoo_itself(data):
    import matchzoo

    assert matchzoo.USER_DATA_DIR == mz.USER_DATA_DIR == data


@pytest.mark.parametrize("place", ["WikiQACorpus", "wikiqa/WikiQACorpus"])  # of Keras 2, and 3
def test_wiki_qa(local, place):
    files = {
        "WikiQA-train.tsv": WIKI_QA,
        "WikiQA-dev.tsv": WIKI_QA,
        "WikiQA-dev.ref": "Q1 0 D1-0 1\nQ1 0 D1-1 0\nQ4 0 D4-0 0\n",
        "WikiQA-dev-filtered.ref": "Q1 0 D1-0 1\nQ1 0 D1-1 0\n",
    }
    put(local / "wiki_qa" / place, files)
    load = mz.datasets.wiki_qa.load_data
    pack = load("train")
    rows = [["Q1", "D1-0", 1], ["Q1", "D1-1", 0], ["Q4", "D4-0", 0]]
    assert pack.relation.to_numpy().tolist() == rows
    assert pack.left["text_left"].tolist() == ['who built "it', "why"]
    assert labels(load("dev", filtered=True)) == [1, 0]
    pack, classes = load("dev", task="classification", return_classes=True)
    assert classes == [False, True]
    np.testing.assert_array_equal(pack.unpack()[1], [[0, 1], [1, 0], [1, 0]])


def test_snli(local):
    put(local / "snli" / "snli_1.0", {"snli_1.0_dev.txt": SNLI})
    load = mz.datasets.snli.load_data
    pack, classes = load("dev", return_classes=True)
    assert classes == ["entailment", "contradiction", "neutral", "-"]
    assert pack.unpack()[1].argmax(axis=1).tolist() == [2, 3, 0]  # one lacks a sentence
    assert labels(load("dev", "ranking", target_label="neutral")) == [1, 0, 0]


def test_quora_qp(local):
    put(local / "quora_qp" / "QQP", {"train.tsv": QUORA, "test.tsv": QUORA})
    load = mz.datasets.quora_qp.load_data
    rows = [[11, 12, 1], [15, 16, 0]]  # without the broken line
    assert load("train", task="ranking").relation.to_numpy().tolist() == rows
    np.testing.assert_array_equal(load("train").unpack()[1], [[0, 1], [1, 0]])
    assert not load("test").has_label


def test_cqa_ql_16(local):
    train = local / "semeval_train" / "v3.2" / "train"
    put(train, {"SemEval2016-Task3-CQA-QL-train-part1.xml": CQA})
    test = local / "semeval_test" / "SemEval2016_task3_test" / "English"
    put(test, {"SemEval2016-Task3-CQA-QL-test.xml": CQA})
    load = mz.datasets.cqa_ql_16.load_data
    pack = load("train", mode="part1")
    assert pack.unpack()[1].tolist() == [[1, 0, 0], [0, 0, 1]]
    assert pack.left["text_left"].tolist() == ["Where to Q7?", "Where to Q8?"]
    assert len(load("train")) == 4  # the first part twice, as it always was
    pack = load("train", mode="part1", task="ranking", match_type="answer", target_label="Good")
    assert labels(pack) == [1, 0, 1, 0]
    assert pack.relation["id_right"].tolist() == ["Q7_C1", "Q7_C2", "Q8_C1", "Q8_C2"]
    y = load("test", match_type="external_answer").unpack()[1]
    assert y.argmax(axis=1).tolist() == [2, 0, 2, 0]


def test_toy(local):
    with pytest.raises(DataError, match=f"copy matchzoo/datasets/toy of .* to {local}/toy. Rec"):
        mz.datasets.toy.load_data()
    put(local / "toy", {"train.csv": TOY, "embedding.2d.txt": "she 0.1 0.2\n. 0.3 0.4\n"})
    assert labels(mz.datasets.toy.load_data("train")) == [1.0, 0.0]
    y = mz.datasets.toy.load_data("train", "classification").unpack()[1]
    np.testing.assert_array_equal(y, [[0, 1], [1, 0]])
    assert mz.datasets.toy.load_embedding().build_matrix({".": 0}).tolist() == [[0.3, 0.4]]


def test_glove(local):
    put(local / "glove", {"glove.6B.50d.txt": 'nan 1 2\n" 3 4\nnull 5 6\n'})
    vectors = mz.datasets.embeddings.load_glove_embedding(50)
    matrix = vectors.build_matrix({"null": 0, '"': 1, "nan": 2})
    assert matrix.tolist() == [[5, 6], [3, 4], [1, 2]]


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """WikiQA's archive, with a file of that name in it; the loader believes it to be the one."""

    def make(name):
        path = tmp_path / "archive.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(name, WIKI_QA)
        module = importlib.import_module("matchzoo.datasets.wiki_qa.load_data")
        monkeypatch.setattr(module, "_url", path.as_uri())
        return path

    return make


def test_what_is_not_there_is_downloaded_once(data, archive, capsys):
    path = archive("WikiQACorpus/WikiQA-train.tsv")
    assert labels(mz.datasets.wiki_qa.load_data("train")) == [1, 0, 0]
    assert "Downloading data from file:" in capsys.readouterr().out
    path.unlink()
    assert labels(mz.datasets.wiki_qa.load_data("train")) == [1, 0, 0]


@pytest.mark.parametrize("fault", ["gone", "no archive", "another one"])
def test_failed_downloads_say_where_the_copy_belongs(data, archive, fault):
    path = archive("Other/WikiQA-train.tsv")
    if fault == "gone":
        path.unlink()
    if fault == "no archive":
        path.write_text("<html>moved</html>")
    rule = f"put WikiQACorpus into {data}/wiki_qa. Received: file:"
    with pytest.raises(DataError, match=rule):
        mz.datasets.wiki_qa.load_data("train")
    assert not (data / "wiki_qa" / "wikiqa_archive").exists()
    put(data / "wiki_qa" / "WikiQACorpus", {"WikiQA-train.tsv": WIKI_QA})
    assert labels(mz.datasets.wiki_qa.load_data("train")) == [1, 0, 0]


def test_a_folder_that_cannot_be_made(data, archive):
    archive("WikiQACorpus/WikiQA-train.tsv")
    data.write_text("in the way")
    with pytest.raises(DataError, match="download failed: .*data.* Received: file:"):
        mz.datasets.wiki_qa.load_data("train")


def test_vectors_of_a_file(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text('3 2\nNA 1 2 \n" 3 4 \nnull 5 6 \n')  # word2vec ends its lines with a space
    vectors = mz.embedding.load_from_file(path)
    assert (vectors.input_dim, vectors.output_dim) == (3, 2)
    assert vectors.build_matrix({"null": 0, "NA": 1, '"': 2}).tolist() == [[5, 6], [1, 2], [3, 4]]
    path.write_text("a 1 2\nb 3 4\n")
    assert mz.embedding.load_from_file(str(path), mode="glove").input_dim == 2
    with pytest.raises(TypeError, match="Received: mode='fasttext'"):
        mz.embedding.load_from_file(path, mode="fasttext")
