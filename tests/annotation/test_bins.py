"""A third of a corpus on either side, genders and languages apart, one voice a speaker, edges that last."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from budew.annotation.bins import (
    Bins,
    Rule,
    describe_measured,
    read_bins,
    rules,
    speakers_of,
    with_measured_traits,
    without_measured_traits,
)
from budew.corpora import Clip, read, write_shard
from budew.corpora.clip import annotated
from budew.errors import CorpusError, SettingsError
from budew.jobs import run
from budew.profile import VoiceProfile
from budew.taxonomy import TRAITS, trait

COUNT = 240
PITCH, LIVELY, NOISE = "High-Pitched_vs._Low-Pitched", "Monotone_vs._Expressive", "Background_Noise"


def measured_clip(id: str, measures: dict, *, language: str | None = None, speaker=None, **traits) -> Clip:
    profile = VoiceProfile({"Awe": 0.5}, (), traits)
    return Clip(id, b"RIFF", "wav", profile=profile, metadata=measures, language=language, speaker=speaker)


@dataclass(frozen=True)
class Copy:
    """A job that changes nothing, in place of the measurement."""

    name: str = "measure"

    def settings(self):
        return {}

    def run(self, clips, failed):
        return clips


def job_folder(folder: Path, clips: list[Clip], *, shard: int = 50) -> Path:
    for start in range(0, len(clips), shard):
        write_shard(folder / f"in/{start:04}.tar", clips[start : start + shard])
    run(Copy(), folder / "in", folder / "out", workers=0)
    return folder / "out"


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    """Men around 110 and women around 210 Hz, Germans slower than French people, a clean recording each."""
    rng = np.random.default_rng(3)
    made = []
    for number in range(COUNT):
        gender, language = ("male", "female")[number % 2], ("de", "fr-CA")[number // 2 % 2]
        figures = {
            "utterance_pitch_mean": float((110, 210)[number % 2] * 2 ** rng.normal(0, 0.15)),
            "pitch_std_semitones": float(rng.gamma(4, 0.7)),
            "speaking_rate": float(rng.normal((4, 7)[number // 2 % 2], 0.6)),
            "nuclei_rate": float(rng.normal(4, 0.5)),
            "snr": float(rng.normal(40, 4)),
            "loudness": float(rng.normal(-23, 3)),
            "c50": float(rng.normal(20, 5)),
        }
        made.append(measured_clip(f"c{number:03}", figures, gender=gender, language=language))
    return made


@pytest.fixture(scope="module")
def folder(clips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return job_folder(tmp_path_factory.mktemp("measured"), clips)


@pytest.fixture(scope="module")
def bins(folder: Path) -> Bins:
    found, is_new = describe_measured(folder)
    assert is_new
    return found


def traits_of(clip: Clip, bins: Bins, **how) -> dict:
    return dict(with_measured_traits(clip, bins, speakers_of([clip]), **how).profile.traits)


def values_of(clips, bins, name) -> Counter:
    return Counter(traits_of(clip, bins).get(name) for clip in clips)


@pytest.mark.parametrize("gender", ["male", "female"])
@pytest.mark.parametrize("language", ["de", "fr-CA"])
def test_a_third_of_each_gender_is_high_and_of_each_language_fast(clips, bins, gender, language):
    of_gender = [clip for clip in clips if clip.profile.traits["gender"] == gender]
    pitches = values_of(of_gender, bins, PITCH)
    thirds = [pitches[0] + pitches[1], pitches[2], pitches[3] + pitches[4]]
    assert thirds == pytest.approx([40, 40, 40], abs=1)
    assert (pitches[0], pitches[4]) == (6, 6)
    paces = values_of([clip for clip in clips if clip.language == language], bins, "pace")
    thirds = [paces["slow"] + paces["very slow"], paces[None], paces["fast"] + paces["very fast"]]
    assert thirds == pytest.approx([40, 40, 40], abs=1)


@pytest.mark.parametrize(
    ("measures", "fields", "name", "value"),
    [
        ({"snr": 5.0}, {}, NOISE, 3.0),
        ({"loudness": -60.0}, {}, "volume", "very quiet"),
        ({"c50": 2.0}, {}, "distance", "very distant"),
        ({"c50": 59.0}, {}, "distance", "very close"),
        ({"nuclei_rate": 7.0}, {}, "pace", "very fast"),
        ({"nuclei_rate": 7.0, "speaking_rate": 1.0}, {"language": "de"}, "pace", "very slow"),
        ({"utterance_pitch_mean": 85.0}, {}, PITCH, 4.0),
        ({"utterance_pitch_mean": 160.0}, {"gender": "female"}, PITCH, 4.0),
        ({"utterance_pitch_mean": 160.0}, {"Gender": 1.6}, PITCH, 4.0),
        ({"utterance_pitch_mean": 160.0}, {"Gender": -1.0}, PITCH, 0.0),
        ({"utterance_pitch_mean": 160.0}, {"Gender": -1.0, "gender": "female"}, PITCH, 4.0),
        ({"utterance_pitch_mean": 160.0}, {"Gender": 0.9}, PITCH, 2.0),
        ({"utterance_pitch_mean": 160.0}, {"Gender": 1.6, "gender": "androgynous"}, PITCH, 2.0),
    ],
)
def test_a_clip_is_compared_with_its_gender_or_language_or_else_with_all(bins, measures, fields, name, value):
    assert traits_of(measured_clip("x", measures, **fields), bins)[name] == value


def test_a_clean_corpus_has_no_noisy_third_and_a_noisy_one_no_clean_third(clips, bins, tmp_path: Path):
    assert set(values_of(clips, bins, NOISE)) <= {0.0, 0.75, 1.5}
    noisy, _ = describe_measured(
        job_folder(tmp_path, [measured_clip(f"c{snr}", {"snr": float(snr)}) for snr in range(24)])
    )
    assert traits_of(measured_clip("x", {"snr": 23.0}), noisy)[NOISE] == 1.5
    assert traits_of(measured_clip("x", {"snr": 0.0}), noisy)[NOISE] == 3.0


def test_traits_of_a_speaker_are_equal_in_all_clips_and_those_of_the_utterance_are_not(tmp_path: Path):
    clips = [
        measured_clip(
            "a1", {"utterance_pitch_mean": 100.0, "nuclei_rate": 2.0}, speaker="anna", gender="female"
        ),
        measured_clip(
            "a2", {"utterance_pitch_mean": 300.0, "nuclei_rate": 8.0}, speaker="anna", gender="male"
        ),
        measured_clip("a3", {"nuclei_rate": 4.0}, speaker="anna", gender="female", age="adult", Age=2.0),
        measured_clip("a4", {"nuclei_rate": 4.1}, speaker="anna", Age=3.0, accent="Irish"),
        measured_clip("b1", {"utterance_pitch_mean": 150.0, "nuclei_rate": 4.2}, speaker="bert"),
        measured_clip("c1", {"utterance_pitch_mean": 250.0}),
    ]
    folder = job_folder(tmp_path, clips, shard=2)
    describe_measured(folder)
    found = {clip.id: clip for clip in read(folder)}
    anna = [found[f"a{number}"].profile.traits for number in (1, 2, 3, 4)]
    for name, value in (("gender", "female"), ("age", "adult"), ("Age", 2.5), ("accent", "Irish")):
        assert [traits[name] for traits in anna] == [value] * 4
    assert len({traits[PITCH] for traits in anna}) == 1
    assert (anna[0]["pace"], anna[1]["pace"]) == ("very slow", "very fast")
    assert "gender" not in found["b1"].profile.traits
    sources = found["a2"].metadata["sources"]
    assert {name: sources[name] for name in ("emotions", "gender", "age", "pace", PITCH)} == {
        "emotions": "labels", "gender": "speaker", "age": "speaker", "pace": "measure", PITCH: "measure",
    }  # fmt: skip
    assert found["a2"].metadata["own_traits"] == {"gender": "male"}
    assert found["a1"].metadata["sources"]["gender"] == "labels"
    assert [without_measured_traits(clip) for clip in found.values()] == [
        without_measured_traits(clip) for clip in clips
    ]


def test_describing_again_gives_the_same_bytes_and_finishes_what_was_interrupted(clips, tmp_path: Path):
    folder = job_folder(tmp_path, clips)
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    describe_measured(folder)
    done = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    describe_measured(folder)
    assert {path: path.read_bytes() for path in done} == done
    shard = folder / "0100.tar"
    for half in ([shard, folder / "notes/0100.json"], [folder / "notes/0100.json"]):
        for path in half:
            path.write_bytes(before[path])
        run(Copy(), tmp_path / "in", folder, workers=0)  # a shard whose record has another size is made again
        describe_measured(folder)
        assert {path: path.read_bytes() for path in done} == done


def test_bins_of_one_corpus_are_those_of_another_and_a_missing_file_is_written(folder, bins, tmp_path: Path):
    file = tmp_path / "bins.json"
    first, is_new = describe_measured(job_folder(tmp_path / "one", [measured_clip("x", {"snr": 50.0})]), file)
    assert is_new
    assert first == read_bins(file)
    used, is_new = describe_measured(
        job_folder(tmp_path / "two", [measured_clip("x", {"nuclei_rate": 9.0})]), folder / "bins.json"
    )
    assert (used, is_new) == (bins, False)
    (clip,) = read(tmp_path / "two/out")
    assert clip.profile.traits == {"pace": "very fast"}
    assert not (tmp_path / "two/out/bins.json").exists()


def test_existing_traits_are_kept_without_overwrite(bins):
    clip = measured_clip("x", {"nuclei_rate": 4.0, "pitch_std_semitones": 0.1}, pace="fast", **{LIVELY: 4})
    assert traits_of(clip, bins) == clip.profile.traits
    assert traits_of(clip, bins, overwrite=True) == {"pace": "fast", LIVELY: 0.0}


def test_measures_do_not_change_emotions(bins):
    measures = {"nuclei_rate": 7.0}
    clip = Clip("x", b"", "wav", metadata=measures)
    assert not with_measured_traits(clip, bins, {}).profile.rated
    for emotions in (None, {}, {"Awe": 0.5}):
        clip = Clip("x", b"", "wav", profile=VoiceProfile(emotions), metadata=measures)
        assert with_measured_traits(clip, bins, {}).profile == VoiceProfile(
            emotions, traits={"pace": "very fast"}
        )
    silent = Clip("x", b"", "wav", metadata={"speech_share": 0.0})
    assert with_measured_traits(silent, bins, {}) == silent


def test_a_later_annotation_records_its_source(bins):
    clip = with_measured_traits(measured_clip("x", {"nuclei_rate": 7.0}), bins, {})
    profile = VoiceProfile({"Fear": 0.5}, ["Fearful Gasp"], clip.profile.traits)
    later = annotated(clip, profile, {"by": "heads"}).metadata["sources"]
    assert later == {"emotions": "heads", "bursts": "heads", "pace": "measure"}


def test_a_minor_is_not_made_of_a_speaker_with_sexual_content(bins):
    clip = Clip("x", b"", "wav", speaker="s", profile=VoiceProfile({"Sexual Lust": 1.0}))
    child = Clip("y", b"", "wav", speaker="s", profile=VoiceProfile(None, (), {"age": "child"}))
    assert with_measured_traits(clip, bins, speakers_of([child, child])) == clip


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        '{"edges": {"snr": {"": [4, 3, 2, 1]}}}',
        '{"edges": {"snr": {"": [1, 2, 3, NaN]}}}',
        '{"edges": {"loudness of the moon": {"": [1, 2, 3, 4]}}}',
    ],
)
def test_an_invalid_file_of_bins_is_refused_with_its_name(tmp_path: Path, content):
    (tmp_path / "bins.json").write_text(content)
    with pytest.raises((SettingsError, CorpusError), match=r"bins\.json"):
        read_bins(tmp_path / "bins.json")


def test_every_rule_gives_known_traits():
    for rule in rules():
        assert rule.trait in TRAITS
        assert len(rule.words or rule.levels) == 5
        for word in filter(None, rule.words):
            assert trait(rule.trait, word) == (rule.trait, word)


def test_groups_of_twenty_clips_have_edges(clips, bins, tmp_path):
    few, _ = describe_measured(job_folder(tmp_path, clips[:20]))
    assert (few.clips, set(few.rows["snr"]), set(few.rows["utterance_pitch_mean"])) == (20, {""}, {""})
    assert set(bins.rows["utterance_pitch_mean"]) == {"", "female", "male"}
    assert set(bins.rows["speaking_rate"]) == {"", "de", "fr"}


@pytest.mark.parametrize(
    ("number", "limits", "word"),
    [
        *((number, {}, word) for number, word in zip((0.9, 1, 2, 3, 4, 4.1), "abccde", strict=True)),
        *((number, {"low_below": 0.5}, word) for number, word in ((0.4, "a"), (0.5, "c"), (4.1, "e"))),
        *((number, {"high_above": 5}, word) for number, word in ((5.1, "e"), (5, "c"), (0.9, "a"))),
    ],
)
def test_a_number_on_an_edge_or_limit_belongs_to_the_bin_nearer_the_middle(number, limits, word):
    assert Rule("snr", "pace", words=tuple("abcde"), **limits).value(number, (1, 2, 3, 4)) == word
