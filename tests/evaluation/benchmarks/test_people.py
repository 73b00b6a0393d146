"""Known corpora are scored by what they are labelled with, from the captions of one model."""

import json

import pytest

from budew.corpora.named.definition import known_corpus
from budew.errors import CorpusError, InputError
from budew.evaluation.benchmarks.people import linear_probe, score_people, task_of
from budew.statistics.resampling import Resampling
from tests.evaluation.benchmarks.known_folders import (
    DEEPLY,
    EMODB,
    GENDERS,
    LIBRISPEECH,
    NEMO,
    SaidCaptions,
    folder_of,
)

FEW = Resampling(resamples=30, permutations=20)
WORDS = {
    "anger": "She is angry.", "neutral": "A neutral voice.", "sadness": "She is sad.",
    "fear": "She is afraid.",
    "happiness": "She is elated.", "boredom": "She is emotionally numb.", "disgust": "She is disgusted.",
    "surprised": "She is astonished.", "read": "A woman reads.",
}  # fmt: skip


def scored(source: str, say, **options):
    (corpus,) = score_people([source], SaidCaptions(say, **options), settings=FEW, players=3).corpora
    return corpus


def label_of(clip) -> str:
    return WORDS[str(clip.metadata["label"])]


@pytest.fixture
def emodb(tmp_path):
    return folder_of(EMODB, tmp_path / "emodb")


@pytest.fixture
def nemo(tmp_path):
    return folder_of(NEMO, tmp_path / "nemo")


@pytest.mark.parametrize(("corpus", "clips", "speakers"), [("emodb@test", 9, 2), ("nemo", 18, 3)])
def test_right_captions_score_everything(corpus, clips, speakers, request):
    found = scored(f"{corpus}:{request.getfixturevalue(corpus.partition('@')[0])}", label_of)
    overall = found.classes.overall
    for metric in ("argmax_accuracy", "unweighted_average_recall", "macro_f1"):
        assert overall[metric].to_dict() == {"value": 100, "low": 100, "high": 100}
    assert (found.classes.n, found.classes.speakers) == (clips, speakers)
    assert found.evaluation.mean["spearman"].value == found.evaluation.mean["auc"].value == 1
    assert found.evaluation.false_emotions.share.value == 0
    assert [one.right for one in found.heard] == [True] * 3


def test_a_corpus_with_a_published_mapping_has_its_rule_and_others_the_emotions_of_their_labels(emodb, nemo):
    assert task_of("emodb", known_corpus("emodb")).published
    found = scored(f"nemo:{nemo}", lambda clip: "She sounds a little afraid and very angry.")
    assert found.classes.by_class["anger"]["recall"].value == 100
    assert found.classes.overall["unweighted_average_recall"].value == pytest.approx(100 / 6)
    assert found.evaluation.false_emotions.share.value == 100
    tied = scored(f"nemo:{nemo}", lambda clip: "She sounds angry and afraid.")
    assert [tied.classes.by_class[name]["recall"].value for name in ("anger", "fear", "sadness")] == [
        50,
        50,
        0,
    ]
    other = scored(f"nemo:{nemo}", lambda clip: "She contemplates deeply.")  # an emotion of no class
    assert other.classes.by_class["neutral"]["recall"].value == 100


OWN = r"""
title: Own
about: A corpus of a user.
kind: acted
source: this test
pattern: '(?P<speaker>s\d)_(?P<label>[a-z]+)'
examples: [s1_calm]
labels: {calm: Contentment, serene: [Contentment], proud: {emotions: [Pride]}, odd: {why: unknown}, plain: []}
"""


def test_labels_of_one_emotion_share_a_clip_and_unknown_ones_are_no_classes(tmp_path):
    (tmp_path / "own.yaml").write_text(OWN)
    folder_of(
        [f"s{n}_{label}" for n in (1, 2) for label in ("calm", "serene", "odd", "plain")], tmp_path / "a"
    )
    found = scored(f"{tmp_path / 'own.yaml'}:{tmp_path / 'a'}", lambda clip: "She is content.").classes
    assert found.task.classes == ("calm", "serene", "proud", "plain")
    recalls = {name: row["recall"].value for name, row in found.by_class.items()}
    assert recalls == {"calm": 50, "serene": 50, "proud": None, "plain": 0}
    assert found.n == 6
    assert task_of("librispeech", known_corpus("librispeech")) is None


def test_means_over_samples_are_scored_beside_the_captions(emodb):
    found = scored(f"emodb@test:{emodb}", label_of, sampled={"Anger": 0.3, "Sadness": 0.1})
    assert found.classes.overall["argmax_accuracy"].value == 100
    assert found.sampled_classes.by_class["anger"]["recall"].value == 100
    assert found.sampled_classes.overall["unweighted_average_recall"].value == pytest.approx(100 / 7)
    assert found.sampled.mean["spearman"].value == 0


def test_sounds_are_scored_by_burst_and_group(tmp_path):
    say = {"coughing": "He coughs.", "yawning": "She coughs.", "laughing": "A voice."}
    folder = folder_of(DEEPLY, tmp_path)
    found = scored(f"deeply-nonverbal:{folder}", lambda clip: say.get(clip.metadata["label"], "He sighs."))
    rows = {row.label: row for row in found.sounds}
    assert found.classes is None
    assert (rows["coughing"].n, rows["coughing"].burst.value, rows["coughing"].group.value) == (2, 100, 100)
    yawning, laughing, teeth = (rows[name] for name in ("yawning", "laughing", "teeth-chattering"))
    assert (yawning.burst.value, yawning.group.value) == (0, 100)  # another burst of the same group
    assert (laughing.group.value, laughing.any_burst.value, laughing.named) == (0, 0, {})
    assert (teeth.burst, teeth.group, teeth.named) == (None, None, {"sighs": 1})
    assert found.evaluation.bursts.n == 4
    genders = {row.trait: row for row in found.evaluation.traits}["gender"]
    assert (genders.n, genders.mentioned) == (5, 4)


def test_read_speech_counts_false_emotions_and_gender_only(tmp_path):
    folder = folder_of(LIBRISPEECH, tmp_path)
    (folder / "SPEAKERS.TXT").write_text(GENDERS)
    said = dict(zip(LIBRISPEECH, ("A woman reads.", "An angry woman.", "A woman reads."), strict=True))
    found = scored(f"librispeech@test:{folder}", lambda clip: said[clip.id])
    assert (found.classes, found.sounds) == (None, ())
    assert found.evaluation.false_emotions.share.value == pytest.approx(100 / 3)
    (gender,) = found.evaluation.traits
    assert gender.metrics["accuracy"].value == pytest.approx(200 / 3)
    assert {one.id: one.right for one in found.heard} == {
        name: said[name] == "A woman reads." for name in LIBRISPEECH
    }


def test_results_are_strict_json_with_probes_and_what_may_have_been_trained_on(emodb):
    def say(clip) -> str:
        return "damaged" if clip.speaker == "13" else label_of(clip)

    found = scored(f"emodb:{emodb}", say)
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (data["may_be_trained_on"], data["split"], data["licence"]) == (True, None, "CC0-1.0")
    assert (data["classes"]["n"], len(data["evaluation"]["skipped"])) == (5, 5)
    (probe,) = data["linear_probe"]
    assert (probe["unweighted_average_recall"], probe["source"]) == (85.4, linear_probe()["source"])
    assert not scored(f"emodb@test:{emodb}", label_of).may_be_trained_on


def test_what_is_no_known_corpus_is_named(tmp_path, emodb):
    (tmp_path / "some").mkdir()
    folder_of(["one", "two"], tmp_path / "some")
    with pytest.raises(InputError, match="known corpus"):
        scored(f"{tmp_path / 'some'}", label_of)
    with pytest.raises(CorpusError, match="nowhere"):
        scored("emodb:nowhere", label_of)
    with pytest.raises(InputError, match="all 9 were skipped"):
        scored(f"emodb@test:{emodb}", lambda clip: "damaged")
