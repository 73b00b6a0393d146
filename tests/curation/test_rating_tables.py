"""Every table of ratings gives the same ratings; a bad row is an error that names it."""

import json

import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.corpora.labels.ratings import Rating, describe_emonet_voice, profiles_of
from budew.curation.rating_tables import read_ratings
from budew.errors import CorpusError, InputError
from budew.taxonomy import EMOTIONS

FAMILIES = {name: f"Family|{name}" for name in EMOTIONS}
EXPERTS = [
    {"human-1": {FAMILIES[name]: 7 if name == "Awe" else 0 for name in EMOTIONS}},
    {"human-2": {FAMILIES[name]: 3.5 if name == "Awe" else 0 for name in EMOTIONS}},
]


def table(tmp_path, text, name="t.csv"):
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_emonet_face_binary_gives_shares_of_raters(tmp_path):
    text = "path,annotator,value,emotion\n0,h1,True,Anger\n0,h3,False,Contentment\n"
    text += "1,h1,True,Hopelessness\n1,h2,False,Hopelessness\n"
    ratings = list(read_ratings(table(tmp_path, text)))
    assert ratings[2] == Rating("1", "h1", "Helplessness", 1.0)
    assert {item: dict(profile.emotions) for item, profile in profiles_of(ratings).items()} == {
        "0": {"Anger": 1.0},
        "1": {"Helplessness": 0.5},
    }


def hq_csv(tmp_path):
    rows = [f'a.png,{name},True,"{answers}"\n' for expert in EXPERTS for name, answers in expert.items()]
    return table(tmp_path, "".join(["image,annotator,human,annotations\n", *rows, "a.png,model,False,{}\n"]))


def hq_parquet(tmp_path):
    images = pa.array([{"bytes": b"\x89PNG", "path": None}])
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pa.table({"path": images, "label": [str(EXPERTS)]}), path)
    return path


def hq_json(tmp_path):
    flat = [{"annotator": name, **answers} for expert in EXPERTS for name, answers in expert.items()]
    return table(tmp_path, json.dumps({"image": "a.png", "annotations": flat}), "a.jsonl")


@pytest.mark.parametrize("layout", [hq_csv, hq_parquet, hq_json])
def test_emonet_face_hq_gives_means_of_its_experts_in_every_form(tmp_path, layout):
    ratings = list(read_ratings(layout(tmp_path)))
    assert len(ratings) == 80
    assert {rating.rater for rating in ratings} == {"human-1", "human-2"}
    (profile,) = profiles_of(ratings).values()
    assert dict(profile.emotions) == {"Awe": 0.75}


VOTES = "strongly_present_votes,weakly_present_votes,not_present_votes"


def test_votes_of_emolia_one_a_row_or_counted(tmp_path):
    head, start = "username,source_emotion,queried_emotion,file_name,rating\n", "Awe,Jealousy___Envy,EN_1.mp3"
    answers = ("strongly_present", "weakly_present", "weakly_present")
    votes = head + "".join(f"user_{n},{start},{answer}\n" for n, answer in enumerate(answers))
    counted = f"file_name,queried_emotion,{VOTES}\nEN_1.mp3,Jealousy___Envy,1,2,0\n"
    tsv = votes.replace(",", "\t")
    for text, name in ((votes, "t.csv"), (tsv, "t.tsv"), (counted, "c.csv")):
        ratings = list(read_ratings(table(tmp_path, text, name)))
        assert [rating.value for rating in ratings] == [1.0, 0.5, 0.5]
        ((item, profile),) = profiles_of(ratings).items()
        assert (item, dict(profile.emotions)) == ("EN_1", {"Jealousy & Envy": pytest.approx(2 / 3)})


def test_numbers_of_votes_are_whole_and_limited(tmp_path):
    rows = "".join(f"a,Awe,{votes},{votes},{votes}\n" for votes in ("0", "-1", "1.5", "1001", "x"))
    errors = []
    path = table(tmp_path, f"item,emotion,{VOTES}\n{rows}")
    assert list(read_ratings(path, on_bad=errors.append)) == []
    assert [str(error).split(": ")[1] for error in errors] == [f"line {number}" for number in range(3, 7)]


def test_numbers_need_a_scale(tmp_path):
    path = table(tmp_path, "item,rater,emotion,value\na,r,Awe,3\n")
    with pytest.raises(InputError, match="--scale"):  # once for the table, also if bad rows are left out
        list(read_ratings(path, on_bad=pytest.fail))
    assert list(read_ratings(path, scale="0-4")) == [Rating("a", "r", "Awe", 0.75)]
    with pytest.raises(CorpusError, match="Awe is 3, which is not on the scale 0-2"):
        list(read_ratings(path, scale="0-2"))


@pytest.mark.parametrize("scale", [None, "0-4"])
def test_answers_in_words_are_shares_of_any_scale(tmp_path, scale):
    words = {
        "Not Present": 0.0,
        "mildly_present": 0.5,
        "Intensely Present": 1.0,
        "non-existent": 0.0,
        "present": 1.0,
    }
    rows = "".join(f"a,r{n},Awe,{word}\n" for n, word in enumerate(words))
    ratings = read_ratings(table(tmp_path, f"item,rater,emotion,value\n{rows}"), scale=scale)
    assert [rating.value for rating in ratings] == list(words.values())
    answers = {"id": "a", "label": [{"h1": {"Awe": "Mildly Present"}}, {"h2": {"Awe": "intensely present"}}]}
    ratings = read_ratings(table(tmp_path, json.dumps(answers), "t.jsonl"), scale=scale)
    assert [rating.value for rating in ratings] == [0.5, 1.0]


def test_present_on_two_levels_is_as_much_as_intensely_present_on_three(tmp_path):
    rows = "item,rater,emotion,value,scale\na,r,Awe,1,0-2\na,s,Awe,2,0-2\nb,r,Pain,1,0-1\nb,s,Pain,present,\n"
    assert [one.value for one in read_ratings(table(tmp_path, rows))] == [0.5, 1.0, 1.0, 1.0]
    labels = [("Awe", "0-2"), ("Pain", "0-1"), ("Fear", None)]
    lines = [{"id": name, "label": f"[{{'h': {{'{name}': 1}}}}]", "scale": scale} for name, scale in labels]
    path = table(tmp_path, "\n".join(map(json.dumps, lines)), "t.jsonl")
    assert [one.value for one in read_ratings(path)] == [0.5, 1.0, 0.5]
    described = [describe_emonet_voice({"label": line["label"], "scale": line["scale"]}) for line in lines]
    assert [one["ratings"][0]["value"] for one in described] == [0.5, 1.0, 0.5]


def test_a_bad_row_is_reported_and_the_others_are_read(tmp_path):
    faults = {
        "a,r,Joyful,true": "'Joyful' is neither an emotion",
        "a,r,Awe,perhaps": "'perhaps' is not an answer",
        "a,,Awe,true": "the rater is missing",
        "a,r,,true": "has no rating",
    }
    good, errors = "b,r,Awe,true", []
    path = table(tmp_path, "\n".join(["item,rater,emotion,value", good, *faults, good]))
    assert list(read_ratings(path, on_bad=errors.append)) == [Rating("b", "r", "Awe", 1.0)] * 2
    for number, (error, fault) in enumerate(zip(errors, faults.values(), strict=True), start=3):
        assert str(error).startswith(f"{path}: line {number}: ")
        assert fault in str(error)


@pytest.mark.parametrize(
    ("name", "fault"), [("a.txt", r"\.jsonl"), ("a.csv", "No such file"), ("a.parquet", "No such file")]
)
def test_a_file_that_is_no_table_is_an_error_that_names_it(tmp_path, name, fault):
    with pytest.raises(CorpusError, match=rf"{name}\b.*{fault}"):
        list(read_ratings(tmp_path / name))
