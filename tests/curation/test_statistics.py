"""Every clip is counted once, and what cannot be read is told."""

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from budew.captions.salience import LARGEST_JSON, Baseline
from budew.corpora import Caption, Clip, write_shard
from budew.curation.statistics import clip_statistics, corpus_statistics
from budew.errors import CorpusError
from budew.profile import VoiceProfile
from budew.reports.corpus_tables import statistics_tables

PROFILES = (
    VoiceProfile({"Fear": 0.9, "Awe": 0.25}, ["Yawn"], {"gender": "female", "Arousal": 2}),
    VoiceProfile({"Fear": 0.5}, [], {"gender": "female", "age": "adult"}),
    VoiceProfile(),
)


@pytest.fixture
def clips():
    plain = Clip("a", b"x", "mp3", duration=1800.0, language="de", profile=PROFILES[0])
    captioned = Clip("b", b"x", "mp3", duration=1800.0, language="en", profile=PROFILES[1])
    return [
        plain,
        replace(captioned, captions=(Caption("A voice."),)),
        replace(plain, id="c", profile=PROFILES[2], duration=None),
        replace(plain, id="d", profile=None, language=None),
    ]


def test_every_clip_is_counted_once(clips, tmp_path):
    write_shard(tmp_path / "a.tar", clips)
    done: list[int] = []
    told = corpus_statistics(tmp_path / "a.tar", progress=done.append).to_dict()
    assert done == [1, 2, 3, 4]
    assert (told["clips"], told["hours"], told["clips_with_duration"]) == (4, 1.5, 3)
    assert (told["clips_with_profile"], told["clips_with_caption"], told["bad_items"]) == (3, 1, 0)
    assert told["languages"] == {"": 1, "de": 2, "en": 1}
    assert told["emotions"]["Fear"] == {"slight": 0, "moderate": 1, "strong": 0, "extreme": 1}
    assert told["bursts"] == {"Yawn": 1}
    assert told["traits"] == {"age": {"adult": 1}, "gender": {"female": 2}}
    assert told["baseline"] == Baseline.from_profiles(PROFILES).to_dict()


def test_attributes_are_counted_on_their_own_scales(clips):
    arousals = (0, 0.4, 2, 4)
    voices = [
        replace(clips[0], id=f"a{number}", profile=VoiceProfile(None, [], {"Arousal": value, "Valence": -3}))
        for number, value in enumerate(arousals)
    ]
    found = clip_statistics("c", [*voices, clips[3]])
    assert list(found.to_dict()["attributes"]) == ["Arousal", "Valence"]
    assert found.to_dict()["attributes"]["Arousal"] == {
        "clips": 4,
        "mean": 1.6,
        "levels": {"0": 2, "1": 0, "2": 1, "3": 0, "4": 1},
    }
    assert found.to_dict()["attributes"]["Valence"]["levels"] == {
        "-3": 4,
        "-1.5": 0,
        "0": 0,
        "1.5": 0,
        "3": 0,
    }
    shown = Console(file=StringIO(), width=200)
    shown.print(statistics_tables(found))
    line = "Arousal (0 very calm, 4 very excited): 4 clips, mean 1.60; 2 at 0, 0 at 1, 1 at 2, 0 at 3, 1 at 4"
    assert line in shown.file.getvalue()


def test_emotions_are_counted_by_language_and_clips_by_voice(clips, tmp_path):
    named = [replace(clip, speaker=name) for clip, name in zip(clips, ("x", "y", "x", None), strict=True)]
    write_shard(tmp_path / "a.tar", named)
    told = corpus_statistics(tmp_path / "a.tar").to_dict()
    assert told["emotions_by_language"] == {
        "de": {"clips_with_profile": 2, "clips_with_unknown_emotions": 0, "emotions": {"Awe": 1, "Fear": 1}},
        "en": {"clips_with_profile": 1, "clips_with_unknown_emotions": 0, "emotions": {"Fear": 1}},
    }
    assert told["speakers"]["most_clips"] == {"x": 2, "y": 1}
    assert (told["speakers"]["distinct"], told["speakers"]["clips"]) == (2, 3)


def test_a_corpus_of_endless_names_gives_statistics_of_bounded_size(clips):
    found = clip_statistics(
        "many",
        (
            replace(
                clips[0],
                id=str(number),
                language=f"l{number}",
                speaker=f"voice {number}",
                profile=VoiceProfile({"Fear": 1}, [], {"accent": "b" * (number % 40 + 1)}),
            )
            for number in range(2_500)
        ),
    )
    told = found.to_dict()
    assert len(told["languages"]) <= 50
    assert len(told["speakers"]["most_clips"]) == 50
    assert told["speakers"]["distinct"] == 2_500
    assert len(found.by_language) == 201
    assert sum(counts["Fear"] for counts in found.by_language.values()) == 2_500
    assert len(json.dumps(told)) < LARGEST_JSON / 10
    assert Baseline.from_json(json.dumps(told)) == found.baseline


def test_a_corpus_without_profiles_has_no_baseline(clips, tmp_path):
    write_shard(tmp_path / "a.tar", clips[3:])
    assert corpus_statistics(tmp_path / "a.tar").baseline is None


def test_clips_whose_emotions_are_unknown_count_for_their_traits_and_for_no_emotion(clips):
    measured = [
        replace(clips[0], id=f"m{n}", profile=VoiceProfile(None, ["Yawn"], {"pace": "fast"})) for n in (1, 2)
    ]
    known, told = clip_statistics("c", clips), clip_statistics("c", [*measured, *clips])
    assert (told.with_profile, told.emotions_unknown, told.emotions_known) == (5, 2, known.emotions_known)
    assert (told.levels, told.baseline) == (known.levels, known.baseline)
    assert (told.bursts["Yawn"], told.traits["pace"]["fast"]) == (3, 2)
    row = told.to_dict()
    assert row["clips_with_unknown_emotions"] == 2
    assert row["emotions_by_language"]["de"]["clips_with_unknown_emotions"] == 2
    shown = Console(file=StringIO(), width=200)
    shown.print(statistics_tables(told))
    assert "with a profile 5 (emotions unknown in 2)" in shown.file.getvalue()
    assert "66.7" in shown.file.getvalue()  # fear, in two of the three that were judged
    assert clip_statistics("c", measured).baseline is None


def test_labels_that_are_not_understood_are_counted_and_shown_once(tmp_path):
    said = ("joyfull", "joyfull", "neutral", "angry", "unknown")
    for number in range(len(said)):
        (tmp_path / f"{number}.wav").write_bytes(b"x")
    rows = [f"{number}.wav,{word},female,34\n" for number, word in enumerate(said)]
    (tmp_path / "metadata.csv").write_text("file_name,emotion,gender,age\n" + "".join(rows))
    found = corpus_statistics(tmp_path)
    number = "age: a number on an unknown scale"
    assert found.to_dict()["not_understood"] == {number: 5, "emotion: joyfull": 2}
    assert (found.with_profile, found.emotions_known, found.traits["gender"]["female"]) == (5, 2, 5)
    shown = Console(file=StringIO(), width=200)
    shown.print(statistics_tables(found))
    assert f"labels that are not understood: {number} 5, emotion: joyfull 2" in shown.file.getvalue()
    hostile = Clip("a", b"x", "mp3", metadata={"not_understood": ["x"]})
    assert clip_statistics("c", [hostile]).to_dict()["not_understood"] == {}


def test_what_cannot_be_read_is_told_and_counted(clips, tmp_path):
    path = tmp_path / "a.tar"
    write_shard(path, clips)
    path.write_bytes(path.read_bytes()[:-2000])
    told: list[CorpusError] = []
    found = corpus_statistics(path, on_bad=told.append)
    assert found.bad == len(told) == 1
    with pytest.raises(CorpusError, match="truncated"):
        corpus_statistics(path)


def test_nothing_depends_on_the_order(clips, tmp_path):
    order = np.random.default_rng(1).permutation(len(clips))
    write_shard(tmp_path / "a.tar", clips)
    write_shard(tmp_path / "b" / "a.tar", [clips[index] for index in order])
    first, second = (corpus_statistics(tmp_path / name).to_dict() for name in ("a.tar", "b/a.tar"))
    assert first | {"corpus": ""} == second | {"corpus": ""}
