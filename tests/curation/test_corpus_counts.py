"""Every clip is counted once, in any order; names are counted exactly up to a limit."""

import io
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from budew import read
from budew.captions.salience import Baseline
from budew.corpora import Caption, Clip
from budew.curation.corpus_counts import (
    EDGES,
    OTHER,
    Durations,
    Tally,
    corpus_statistics,
)
from budew.profile import VoiceProfile

PROFILES = (
    VoiceProfile({"Fear": 0.9, "Awe": 0.25}, ["Yawn"], {"gender": "female", "Arousal": 2}),
    VoiceProfile({"Fear": 0.5}, [], {"gender": "female", "age": "adult"}),
    VoiceProfile(),
)
names = st.lists(st.text(alphabet="abcdef", max_size=2), max_size=300)


def tallied(given: list[str], most: int) -> Tally:
    tally = Tally(most)
    for name in given:
        tally.add(name)
    return tally


@given(names, st.integers(1, 60))
def test_names_are_counted_exactly_up_to_a_limit(given, most):
    tally, exact = tallied(given, most), Counter(given)
    assert tally.total() == len(given)
    assert tally.exact == (len(exact) <= most)
    assert tally.distinct == min(most, len(exact))
    assert all(count <= exact[name] for name, count in tally.items() if name != OTHER)
    if tally.exact:
        assert dict(tally) == exact
        assert tally.most_common() == tallied(given[::-1], most).most_common()
    ranked = tally.most_common()
    assert tally.most_common(3) == ranked[:3]
    assert ranked == sorted(ranked, key=lambda row: (-row[1], row[0]))


@given(st.lists(st.floats(0.02, 1e5), min_size=1, max_size=60), st.floats(0, 1))
def test_durations_have_exact_extremes_and_quantiles_to_a_hundredth(given, share):
    durations = Durations()
    for seconds in given:
        durations.add(seconds)
    reference = sorted(given)[max(0, int(np.ceil(share * len(given))) - 1)]
    assert abs(durations.quantile(share) - reference) < 0.0051
    assert (durations.shortest, durations.longest) == (min(given), max(given))
    assert durations.histogram[-1] == sum(seconds > EDGES[-1] for seconds in given)
    table = durations.to_dict()
    assert sum(table["histogram"].values()) == table["clips"] == len(given)
    assert table["mean"] == round(sum(given) / len(given), 3)
    assert (Durations().quantile(share), Durations().to_dict()) == (0, {"clips": 0})


@pytest.fixture
def clips():
    plain = Clip("a", b"x", "mp3", duration=1800.0, language="de", speaker="x", profile=PROFILES[0])
    captioned = replace(plain, id="b", language="en", speaker="y", captions=(Caption("A voice."),))
    return [
        plain,
        replace(captioned, profile=PROFILES[1]),
        replace(plain, id="c", profile=PROFILES[2], duration=None),
        replace(plain, id="d", profile=None, language=None, speaker=None, transcript="Hello"),
    ]


def test_every_clip_is_counted_once_in_any_order(clips):
    table = corpus_statistics("c", clips).to_dict()
    counts = {"corpus": "c", "clips": 4, "hours": 1.5, "clips_with_duration": 3, "captions": 1}
    counts |= {"clips_with_profile": 3, "clips_with_caption": 1, "clips_with_transcript": 1, "bad_items": 0}
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
    assert table["attributes"]["Arousal"] == {
        "clips": 1,
        "mean": 2.0,
        "levels": {"0": 0, "1": 0, "2": 1, "3": 0, "4": 0},
    }
    assert table["baseline"] == Baseline.from_profiles(PROFILES).to_dict()
    assert corpus_statistics("c", clips[::-1]).to_dict() == table


def test_missing_durations_are_read_from_the_audio(clips):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(32_000), 16_000, format="WAV")
    found = corpus_statistics("c", [Clip("a", file.getvalue(), "wav"), clips[2], clips[0]])
    assert (found.clips, found.durations.count, found.durations.total) == (3, 2, 1802.0)


def test_statistics_of_a_corpus_with_many_names_are_of_bounded_size(clips):
    fear = [VoiceProfile({"Fear": 1}, [], {"accent": "b" * (number + 1)}) for number in range(40)]
    many = (
        replace(clips[0], language=f"l{number}", speaker=f"voice {number}", profile=fear[number % 40])
        for number in range(2_500)
    )
    found = corpus_statistics("many", many)
    table = found.to_dict()
    assert len(table["languages"]) == len(table["speakers"]["most_clips"]) == 50
    assert table["speakers"]["distinct"] == 2_500
    assert len(found.by_language) == 201
    assert found.by_language[OTHER]["Fear"] == 2_300
    assert len(json.dumps(table)) < 100_000
    assert Baseline.from_json(json.dumps(table)) == found.baseline


def test_clips_without_rated_emotions_count_for_their_traits_and_for_no_emotion(clips):
    profile = VoiceProfile(None, ["Yawn"], {"pace": "fast"})
    measured = [replace(clips[0], id=f"m{number}", profile=profile) for number in (1, 2)]
    known, both = corpus_statistics("c", clips), corpus_statistics("c", [*measured, *clips])
    assert (both.with_profile, both.emotions_unknown, both.emotions_known) == (5, 2, known.emotions_known)
    assert (both.levels, both.baseline) == (known.levels, known.baseline)
    assert (both.bursts["Yawn"], both.traits["pace"]["fast"]) == (3, 2)
    table = both.to_dict()
    assert table["clips_with_unknown_emotions"] == 2
    assert table["emotions_by_language"]["de"]["clips_with_unknown_emotions"] == 2
    assert corpus_statistics("c", measured).baseline is None


@pytest.mark.filterwarnings("ignore:.*joyfull")
def test_labels_that_are_not_understood_are_counted(tmp_path):
    words = ("joyfull", "joyfull", "neutral", "angry", "unknown")
    for number in range(len(words)):
        (tmp_path / f"{number}.wav").write_bytes(b"x")
    rows = [f"{number}.wav,{word},female,0.5\n" for number, word in enumerate(words)]
    (tmp_path / "metadata.csv").write_text("file_name,emotion,gender,arousal\n" + "".join(rows))
    found = corpus_statistics("c", read(tmp_path))
    number = "arousal: a number on an unknown scale"
    assert found.to_dict()["not_understood"] == {number: 5, "emotion: joyfull": 2}
    assert (found.with_profile, found.emotions_known, found.traits["gender"]["female"]) == (5, 2, 5)
    hostile = Clip("a", b"x", "mp3", metadata={"not_understood": ["x"]})
    assert corpus_statistics("c", [hostile]).to_dict()["not_understood"] == {}


def test_bins_hold_their_upper_bound_and_the_quantiles_are_those_of_numpy():
    durations, given = Durations(), [edge + step for edge in EDGES for step in (0, 0.01)]
    for seconds in given:
        durations.add(seconds)
    assert durations.histogram == [1, *[2] * 9, 1]
    table = durations.to_dict()
    assert list(table["histogram"]) == ["0.5", "1", "2", "4", "8", "12", "20", "30", "60", "600", "longer"]
    for share, found in table["quantiles"].items():
        wanted = np.quantile(given, float(share), method="inverted_cdf")
        assert found == pytest.approx(wanted, abs=0.005)


def test_clips_and_hours_are_counted_by_licence(clips):
    free, limited = (replace(clips[0], license=name) for name in ("CC0-1.0", "CC-BY-NC-4.0"))
    untimed = replace(limited, duration=None)
    counted = corpus_statistics("c", [*clips, free, limited, untimed])
    assert counted.to_dict()["licenses"] == {
        "not stated": {"clips": 4, "hours": 1.5},
        "CC-BY-NC-4.0": {"clips": 2, "hours": 0.5},
        "CC0-1.0": {"clips": 1, "hours": 0.5},
    }
    counted.licenses.most = 3
    assert [counted.licenses.add(name) for name in ("CC0-1.0", "new")] == ["CC0-1.0", OTHER]
