"""Every clip is counted once, and what cannot be read is reported."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from budew.captions.salience import Baseline
from budew.corpora import Caption, Clip, write_shard
from budew.curation.distributions import OTHER
from budew.curation.statistics import clip_statistics, corpus_statistics
from budew.errors import CorpusError
from budew.profile import VoiceProfile

PROFILES = (
    VoiceProfile({"Fear": 0.9, "Awe": 0.25}, ["Yawn"], {"gender": "female", "Arousal": 2}),
    VoiceProfile({"Fear": 0.5}, [], {"gender": "female", "age": "adult"}),
    VoiceProfile(),
)


@pytest.fixture
def clips():
    plain = Clip("a", b"x", "mp3", duration=1800.0, language="de", speaker="x", profile=PROFILES[0])
    return [
        plain,
        replace(
            plain, id="b", language="en", speaker="y", profile=PROFILES[1], captions=(Caption("A voice."),)
        ),
        replace(plain, id="c", profile=PROFILES[2], duration=None),
        replace(plain, id="d", profile=None, language=None, speaker=None, transcript="Hello"),
    ]


def test_every_clip_is_counted_once(clips, tmp_path):
    write_shard(tmp_path / "a.tar", clips)
    progress: list[int] = []
    table = corpus_statistics(tmp_path / "a.tar", progress=progress.append).to_dict()
    assert progress == [1, 2, 3, 4]
    counts = {"clips": 4, "hours": 1.5, "clips_with_duration": 3, "bad_items": 0, "captions": 1}
    counts |= {"clips_with_profile": 3, "clips_with_caption": 1, "clips_with_transcript": 1}
    assert {name: table[name] for name in counts} == counts
    assert table["languages"] == {"": 1, "de": 2, "en": 1}
    assert table["emotions"]["Fear"] == {"slight": 0, "moderate": 1, "strong": 0, "extreme": 1}
    assert table["emotions_by_language"] == {
        "de": {"clips_with_profile": 2, "clips_with_unknown_emotions": 0, "emotions": {"Awe": 1, "Fear": 1}},
        "en": {"clips_with_profile": 1, "clips_with_unknown_emotions": 0, "emotions": {"Fear": 1}},
    }
    speakers = {"distinct": 2, "exact": True, "clips": 3, "median_clips": 1.5}
    assert table["speakers"] == speakers | {"most_clips": {"x": 2, "y": 1}}
    assert table["bursts"] == {"Yawn": 1}
    assert table["traits"] == {"age": {"adult": 1}, "gender": {"female": 2}}
    assert table["attributes"]["Arousal"]["clips"] == 1
    assert table["baseline"] == Baseline.from_profiles(PROFILES).to_dict()


def test_clips_without_a_duration_are_measured_and_what_is_unknown_is_counted(clips):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(32_000), 16_000, format="WAV")
    bare = Clip("a", file.getvalue(), "wav")
    assert clip_statistics("c", [bare]).durations.total == 2.0
    mixed = clip_statistics("c", [bare, clips[2], clips[0]])
    assert (mixed.durations.count, mixed.durations.total) == (2, 1802.0)


def test_a_corpus_of_endless_names_gives_statistics_of_bounded_size(clips):
    fear = [VoiceProfile({"Fear": 1}, [], {"accent": "b" * (number + 1)}) for number in range(40)]
    many = (
        replace(clips[0], language=f"l{number}", speaker=f"voice {number}", profile=fear[number % 40])
        for number in range(2_500)
    )
    found = clip_statistics("many", many)
    table = found.to_dict()
    assert len(table["languages"]) == len(table["speakers"]["most_clips"]) == 50
    assert table["speakers"]["distinct"] == 2_500
    assert len(found.by_language) == 201
    assert found.by_language[OTHER]["Fear"] == 2_300
    assert len(json.dumps(table)) < 100_000
    assert Baseline.from_json(json.dumps(table)) == found.baseline


def test_clips_with_unknown_emotions_count_for_their_traits_and_for_no_emotion(clips):
    profile = VoiceProfile(None, ["Yawn"], {"pace": "fast"})
    measured = [replace(clips[0], id=f"m{number}", profile=profile) for number in (1, 2)]
    known, both = clip_statistics("c", clips), clip_statistics("c", [*measured, *clips])
    assert (both.with_profile, both.emotions_unknown, both.emotions_known) == (5, 2, known.emotions_known)
    assert (both.levels, both.baseline) == (known.levels, known.baseline)
    assert (both.bursts["Yawn"], both.traits["pace"]["fast"]) == (3, 2)
    table = both.to_dict()
    assert table["clips_with_unknown_emotions"] == 2
    assert table["emotions_by_language"]["de"]["clips_with_unknown_emotions"] == 2
    assert clip_statistics("c", measured).baseline is None
    assert clip_statistics("c", clips[3:]).baseline is None


def test_labels_that_are_not_understood_are_counted_and_shown_once(tmp_path):
    words = ("joyfull", "joyfull", "neutral", "angry", "unknown")
    for number in range(len(words)):
        (tmp_path / f"{number}.wav").write_bytes(b"x")
    rows = [f"{number}.wav,{word},female,34\n" for number, word in enumerate(words)]
    (tmp_path / "metadata.csv").write_text("file_name,emotion,gender,age\n" + "".join(rows))
    found = corpus_statistics(tmp_path)
    number = "age: a number on an unknown scale"
    assert found.to_dict()["not_understood"] == {number: 5, "emotion: joyfull": 2}
    assert (found.with_profile, found.emotions_known, found.traits["gender"]["female"]) == (5, 2, 5)
    hostile = Clip("a", b"x", "mp3", metadata={"not_understood": ["x"]})
    assert clip_statistics("c", [hostile]).to_dict()["not_understood"] == {}


def test_what_cannot_be_read_is_reported_and_counted(clips, tmp_path):
    path = tmp_path / "a.tar"
    write_shard(path, clips)
    path.write_bytes(path.read_bytes()[:-2000])
    errors: list[CorpusError] = []
    found = corpus_statistics(path, on_bad=errors.append)
    assert found.bad == len(errors) == 1
    with pytest.raises(CorpusError, match="truncated"):
        corpus_statistics(path)


def test_nothing_depends_on_the_order(clips):
    first, second = (clip_statistics("c", some).to_dict() for some in (clips, clips[::-1]))
    assert first == second
