"""Order of tasks, storage of answers, and the table that is read as ratings."""

import sqlite3
import subprocess
import sys
from itertools import pairwise

import pytest

from budew import VoiceProfile
from budew.corpora.clip import Clip
from budew.curation import RatingStudy, rating_statistics, read_ratings
from budew.curation.rating_study import BLOCK
from budew.errors import CorpusError, InputError, JobError
from budew.taxonomy import EMOTIONS


def clip(id, *given):
    return Clip(id, b"x", "wav", profile=VoiceProfile(*given) if given else None)


CLIPS = [clip(f"clip-{number}", {"Awe": 0.5, "Fear": 0.6 + number / 100}) for number in range(30)]


def study(tmp_path, clips=CLIPS, **design):
    by_id = {clip.id: clip for clip in clips}
    return RatingStudy(tmp_path / "answers.sqlite", by_id, ["anna", "ben"], **design)


@pytest.mark.parametrize("count", [1, 2, 5, 30])
@pytest.mark.parametrize("repeats", [0, 0.1, 0.5])
def test_every_clip_is_asked_and_a_share_again_later(tmp_path, count, repeats):
    made = study(tmp_path, CLIPS[:count], repeats=repeats)
    places = {task[:2]: place for place, task in enumerate(made.tasks("anna"))}
    assert {item for item, repeat in places if not repeat} == {clip.id for clip in CLIPS[:count]}
    again = [item for item, repeat in places if repeat]
    assert len(again) == round(repeats * count)
    assert all(places[item, 1] - places[item, 0] >= min(BLOCK, count) // 2 for item in again)


def test_the_order_follows_from_seed_and_rater(tmp_path):
    first, second = study(tmp_path), study(tmp_path, CLIPS[::-1])
    assert first.tasks("anna") == second.tasks("anna")
    orders = [first.tasks("anna"), first.tasks("ben"), study(tmp_path, seed=1).tasks("anna")]
    assert all(one != other for one, other in pairwise(orders))


def test_raters_who_stop_early_have_rated_the_same_clips(tmp_path):
    made = study(tmp_path, repeats=0)
    anna, ben = ([task.item for task in made.tasks(rater)[:BLOCK]] for rater in made.raters)
    assert anna != ben
    assert set(anna) == set(ben) != set(sorted(made.clips)[:BLOCK])


def test_what_is_asked(tmp_path):
    strongest = clip("strongest", {"Awe": 0.5, "Fear": 0.6})
    rated = clip("rated", {}, (), {}, ["Shame"])
    neutral, unlabelled = clip("neutral", {}), clip("unlabelled")
    made = study(tmp_path, [strongest, rated, neutral, unlabelled], repeats=0)
    asked = {task.item: task.emotions for task in made.tasks("anna")}
    assert asked == {"strongest": ("Fear",), "rated": ("Shame",)}
    (every,) = study(tmp_path, [neutral], ask="all", repeats=0).tasks("anna")
    assert sorted(every.emotions) == sorted(EMOTIONS) != list(every.emotions)
    (named,) = study(tmp_path, [neutral], ask="anger, Arousal_best", repeats=0).tasks("anna")
    assert set(named.emotions) == {"Anger", "Arousal"}
    with pytest.raises(CorpusError, match="hunger"):
        study(tmp_path, ask="hunger").tasks("anna")
    with pytest.raises(InputError, match="no clip"):
        study(tmp_path, [neutral]).tasks("anna")


def test_answers_are_found_again_and_can_be_replaced(tmp_path):
    made = study(tmp_path, ask="Awe,Fear", repeats=0.5)
    tasks = made.tasks("anna")
    repeated = next(task for task in tasks if task.repeat)
    first = next(task for task in tasks if task.item == repeated.item)
    made.store("anna", first, {"Awe": 0, "Fear": 0})
    made.store("anna", first, {"Awe": 2, "Fear": 0})
    made.store("anna", repeated, {"Awe": 2, "Fear": 1})
    made.store("ben", first, {})
    again = study(tmp_path, ask="Awe,Fear", repeats=0.5, seed=1)
    assert again.answered("anna") == {first[:2], repeated[:2]}
    assert again.answered("ben") == {first[:2]}
    assert again.repeatability() == {"anna": (2, 1), "ben": (0, 0)}
    assert {(one.rater, one.emotion, one.value) for one in again.ratings()} == {
        ("anna", "Awe", 1.0),
        ("anna", "Fear", 0.0),
    }


@pytest.mark.parametrize("answers", [{"Awe": 1}, {"Awe": 1, "Anger": 1}, {"Awe": 3, "Fear": 1}])
def test_incomplete_answers_are_refused(tmp_path, answers):
    made = study(tmp_path, ask="Awe,Fear")
    with pytest.raises(InputError):
        made.store("anna", made.tasks("anna")[0], answers)
    assert made.answered("anna") == set()


@pytest.mark.parametrize("scale", ["0-2", "emonet-face"])
def test_the_table_is_read_as_the_same_ratings(tmp_path, scale):
    made = study(tmp_path, [*CLIPS[:3], clip('odd, "id".wav', {"Awe": 1})], scale=scale)
    for rater, value in (("anna", 1), ("ben", 2)):
        for task in made.tasks(rater):
            made.store(rater, task, dict.fromkeys(task.emotions, value))
    (tmp_path / "ratings.csv").write_text(made.table())
    read = list(read_ratings(tmp_path / "ratings.csv"))
    assert len(read) == 8
    assert rating_statistics(read) == rating_statistics(made.ratings())


def test_a_table_may_name_the_scale_of_each_row(tmp_path):
    table = tmp_path / "ratings.csv"
    table.write_text(
        "item,rater,emotion,value,scale\na,r,Awe,1,0-2\na,s,Awe,7,0-7\na,t,Awe,1,odd\na,u,Awe,yes,\n"
    )
    bad = []
    assert [one.value for one in read_ratings(table, on_bad=bad.append)] == [0.5, 1.0, 1.0]
    assert "line 4" in str(bad[0])


def test_a_killed_process_has_stored_what_it_said(tmp_path):
    program = """if True:
    import os, signal
    from pathlib import Path
    from budew.corpora.clip import Clip
    from budew.curation import RatingStudy
    clips = {str(number): Clip(str(number), b"x", "wav") for number in range(5)}
    study = RatingStudy(Path("answers.sqlite"), clips, ["anna"], "Awe")
    for task in study.tasks("anna")[:3]:
        study.store("anna", task, {"Awe": 1})
        print(task.item, flush=True)
    with study._database() as database:
        database.execute("DELETE FROM answers")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    found = sqlite3.connect(tmp_path / "answers.sqlite").execute("SELECT item FROM answers").fetchall()
    assert sorted(item for (item,) in found) == sorted(done.stdout.split())
    assert len(found) == 3


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "answers.sqlite").write_text("not a database" * 100)
    with pytest.raises(JobError, match=r"answers\.sqlite"):
        study(tmp_path).ratings()
