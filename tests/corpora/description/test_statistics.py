"""Every clip is counted once, and what cannot be read is told."""

import json
from dataclasses import replace

import numpy as np
import pytest

from budew.captions.salience import LARGEST_JSON, Baseline
from budew.corpora import Caption, Clip, CorpusError, write_shard
from budew.corpora.description.statistics import clip_statistics, corpus_statistics
from budew.profile import VoiceProfile

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


def test_emotions_are_counted_by_language_and_clips_by_voice(clips, tmp_path):
    named = [replace(clip, speaker=name) for clip, name in zip(clips, ("x", "y", "x", None), strict=True)]
    write_shard(tmp_path / "a.tar", named)
    told = corpus_statistics(tmp_path / "a.tar").to_dict()
    assert told["emotions_by_language"] == {
        "de": {"clips_with_profile": 2, "emotions": {"Awe": 1, "Fear": 1}},
        "en": {"clips_with_profile": 1, "emotions": {"Fear": 1}},
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
