"""`score`: what goes in comes out, in every format."""

import json

import pandas as pd
import pytest
from cli_calls import good, mistake, written

from ir_attention.data import read_table

# Each is a trap of some format: quotes, commas, line breaks, tabs, ids that look like numbers.
AWKWARD = [
    {
        "id_left": "007",
        "text_left": 'a "quoted", text',
        "id_right": "1e3",
        "text_right": "two\nlines",
    },
    {
        "id_left": "007",
        "text_left": 'a "quoted", text',
        "id_right": "d2",
        "text_right": "lone\rreturn",
    },
    {"id_left": "q2", "text_left": "tab\there", "id_right": "NA", "text_right": ""},
    {"id_left": "q2", "text_left": "tab\there", "id_right": "火", "text_right": "🚀 \u2028 "},
]


@pytest.mark.parametrize("source", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("target", [".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet"])
def test_scored_pairs_keep_rows_and_columns_and_read_back_equal(
    bundle, ranker, tmp_path, source, target
):
    frame = pd.DataFrame(AWKWARD).assign(votes=["3", "", "1,5", '"'])[
        ["votes", "text_right", "id_right", "text_left", "id_left"]
    ]
    path = written(frame, tmp_path / f"pairs{source}")
    out = tmp_path / f"scored{target}"
    result = good("score", bundle, path, "-o", out)
    assert (result.stdout, result.stderr) == ("", "")
    back = read_table(out)
    assert list(back) == [*frame, "predictions"]
    pd.testing.assert_frame_equal(back[list(frame)].astype(object), frame.astype(object))
    wanted = ranker.score(pd.DataFrame(AWKWARD))["score"]
    assert back["predictions"].astype(float).tolist() == wanted.tolist()


def test_scores_go_to_stdout_as_csv(bundle, pairs, tmp_path):
    good("score", bundle, pairs, "-o", tmp_path / "scored.csv")
    assert good("score", bundle, pairs).stdout_bytes == (tmp_path / "scored.csv").read_bytes()


def test_scores_go_to_tsv_unless_a_text_has_a_tab(bundle, pairs, tmp_path):
    out = tmp_path / "scored.tsv"
    good("score", bundle, pairs, "-o", out)
    frame = read_table(out)
    pd.testing.assert_frame_equal(frame.drop(columns="predictions"), read_table(pairs))
    before = out.read_bytes()
    awkward = written(pd.DataFrame(AWKWARD), tmp_path / "pairs.jsonl")
    assert "TSV cannot hold a tab or a line break" in mistake("score", bundle, awkward, "-o", out)
    assert out.read_bytes() == before  # whole or not at all


def test_score_takes_values_of_any_kind(bundle, tmp_path):
    rows = [
        {"text_left": "q", "text_right": "d", "label": True, "tags": ["a", "ü"], "votes": None},
        {"text_left": "q", "text_right": "e", "label": False, "tags": {"k": 1}, "votes": 2.5},
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    good("score", bundle, path, "-o", tmp_path / "scored.jsonl")
    back = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text().splitlines()]
    assert [{k: v for k, v in row.items() if k != "predictions"} for row in back] == rows
    table = [line.rpartition(",")[0] for line in good("score", bundle, path).stdout.splitlines()]
    assert table[1:] == ['q,d,1,"[""a"", ""ü""]",', 'q,e,0,"{""k"": 1}",2.5']
    assert "Parquet needs values of one kind" in mistake(
        "score", bundle, path, "-o", tmp_path / "scored.parquet"
    )
    assert not (tmp_path / "scored.parquet").exists()


def test_half_a_character_cannot_be_written(bundle, tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"text_left": "q", "text_right": "d", "note": "\\ud83d"}\n')
    assert "a lone surrogate" in mistake("score", bundle, path)


def test_score_needs_no_labels_and_takes_own_column_names(bundle, ranker, tmp_path):
    frame = pd.DataFrame({"Headline": ["flood in Oslo"] * 2, "Tweet": ["flood!", "comet"]})
    path = written(frame, tmp_path / "own.csv")
    line = mistake("score", bundle, path)
    assert "no column 'text_left'" in line and "--query, --document" in line
    named = ("--query", "Headline", "--document", "Tweet")
    scored = good("score", bundle, path, *named).stdout.splitlines()
    assert scored[0] == "Headline,Tweet,predictions"
    _, scores = ranker.order("flood in Oslo", ["flood!"])
    text, score = scored[1].rsplit(",", 1)
    assert (text, float(score)) == ("flood in Oslo,flood!", pytest.approx(scores[0], abs=1e-5))


def test_predictions_are_not_written_over(bundle, tmp_path):
    path = written(pd.DataFrame(AWKWARD).assign(predictions=1.0), tmp_path / "pairs.csv")
    assert "a column 'predictions' already" in mistake("score", bundle, path)


def test_output_needs_a_folder_and_leaves_devices_alone(bundle, pairs, tmp_path):
    nowhere = tmp_path / "nowhere" / "o.csv"
    assert "its folder does not exist" in mistake("score", bundle, pairs, "-o", nowhere)
    (tmp_path / "folder.csv").mkdir()
    assert "is a folder" in mistake("score", bundle, pairs, "-o", tmp_path / "folder.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    (tmp_path / "null.csv").symlink_to("/dev/null")
    for name in ("link.csv", "null.csv"):
        good("score", bundle, pairs, "-o", tmp_path / name)
        assert (tmp_path / name).is_symlink()
    assert (tmp_path / "real.csv").stat().st_size > 0
    assert not list(tmp_path.glob(".*"))


def beir(folder):
    """A collection of one query and two documents."""
    (folder / "qrels").mkdir(parents=True)
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "flood"}\n')
    (folder / "corpus.jsonl").write_text(
        '{"_id": "d1", "text": "a flood"}\n{"_id": "d2", "text": "a comet"}\n'
    )
    for name, rows in (("dev", "q1\td1\t1\n"), ("test", "q1\td2\t0\nq1\td1\t1\n")):
        (folder / "qrels" / f"{name}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}")
    return folder


def test_a_beir_folder_goes_by_its_judgements(bundle, tmp_path):
    folder = beir(tmp_path / "beir")
    assert "name that file in place of the folder" in mistake("score", bundle, folder)
    lines = good("score", bundle, folder / "qrels" / "test.tsv").stdout.splitlines()
    assert lines[0] == "id_left,text_left,id_right,text_right,label,predictions"
    assert [line.split(",")[2] for line in lines[1:]] == ["d2", "d1"]
    found = json.loads(good("evaluate", bundle, folder / "qrels" / "dev.tsv", "--json").stdout)
    assert found["queries"] == 1
