"""A third of a corpus on either side, genders and languages compared with their own, thresholds that last."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from budew.annotation.quantile_thresholds import (
    AnnotateByMeasures,
    Rule,
    corpus_thresholds,
    read_thresholds,
    rules,
    with_traits,
)
from budew.corpora import Clip, write_shard
from budew.errors import CorpusError, JobError, SettingsError
from budew.profile import VoiceProfile
from budew.taxonomy import CATEGORIES, TRAITS, trait

COUNT = 240
PITCH, LIVELY, NOISE = "High-Pitched_vs._Low-Pitched", "Monotone_vs._Expressive", "Background_Noise"


def measured_clip(id: str, measured: dict, *, language: str | None = None, **traits) -> Clip:
    profile = VoiceProfile({"Awe": 0.5}, (), traits)
    return Clip(id, b"RIFF", "wav", profile=profile, metadata={"measured": measured}, language=language)


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    """Men around 110 and women around 210 Hz, Germans slower than French people, a clean recording each."""
    rng = np.random.default_rng(3)
    made = []
    for number in range(COUNT):
        gender, language = ("male", "female")[number % 2], ("de", "fr-CA")[number // 2 % 2]
        figures = {
            "pitch_median": float((110, 210)[number % 2] * 2 ** rng.normal(0, 0.15)),
            "pitch_sd": float(rng.gamma(4, 0.7)),
            "syllable_rate": float(rng.normal((4, 7)[number // 2 % 2], 0.6)),
            "nuclei_rate": float(rng.normal(4, 0.5)),
            "snr": float(rng.normal(40, 4)),
        }
        made.append(measured_clip(f"c{number:03}", figures, gender=gender, language=language))
    return made


def values_of(clips, bins, name) -> Counter:
    return Counter(with_traits(clip, bins).profile.traits.get(name) for clip in clips)


@pytest.fixture(scope="module")
def corpus(clips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shard = tmp_path_factory.mktemp("measured") / "a.tar"
    write_shard(shard, clips)
    return shard


@pytest.fixture(scope="module")
def bins(corpus: Path):
    return corpus_thresholds(corpus)


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
    ("measured", "fields", "name", "value"),
    [
        ({"snr": 5.0}, {}, NOISE, 3.0),
        ({"nuclei_rate": 7.0}, {}, "pace", "very fast"),
        ({"nuclei_rate": 7.0, "syllable_rate": 1.0}, {"language": "de"}, "pace", "very slow"),
        ({"pitch_median": 85.0}, {}, PITCH, 4.0),
        ({"pitch_median": 160.0}, {"gender": "female"}, PITCH, 4.0),
        ({"pitch_median": 160.0}, {"Gender": 1.6}, PITCH, 4.0),
        ({"pitch_median": 160.0}, {"Gender": -1.0}, PITCH, 0.0),
        ({"pitch_median": 160.0}, {"Gender": -1.0, "gender": "female"}, PITCH, 4.0),
        ({"pitch_median": 160.0}, {"Gender": 0.9}, PITCH, 2.0),
        ({"pitch_median": 160.0}, {"Gender": 1.6, "gender": "androgynous"}, PITCH, 2.0),
    ],
)
def test_a_clip_is_compared_with_its_gender_or_language_or_else_with_all(bins, measured, fields, name, value):
    clip = measured_clip("x", measured, **fields)
    assert with_traits(clip, bins).profile.traits[name] == value


def test_a_clean_corpus_has_no_noisy_third_and_a_noisy_one_no_clean_third(clips, bins, tmp_path: Path):
    assert set(values_of(clips, bins, NOISE)) <= {0.0, 0.75, 1.5}
    shard = tmp_path / "noisy.tar"
    write_shard(shard, [measured_clip(f"c{snr}", {"snr": float(snr)}) for snr in range(24)])
    noisy = corpus_thresholds(shard)
    assert set(values_of([measured_clip("x", {"snr": 23.0})], noisy, NOISE)) == {1.5}
    assert set(values_of([measured_clip("x", {"snr": 0.0})], noisy, NOISE)) == {3.0}
    write_shard(tmp_path / "few.tar", clips[:19])
    with pytest.raises(CorpusError, match="19 clips are measured"):
        corpus_thresholds(tmp_path / "few.tar")


def test_existing_traits_are_kept_without_overwrite(bins):
    profile = VoiceProfile({}, (), {"pace": "fast", LIVELY: 4})
    clip = Clip(
        "x", b"", "wav", profile=profile, metadata={"measured": {"nuclei_rate": 4.0, "pitch_sd": 0.1}}
    )
    assert with_traits(clip, bins).profile.traits == profile.traits
    assert with_traits(clip, bins, overwrite=True).profile.traits == {LIVELY: 0.0}


def test_measures_do_not_change_emotions(bins):
    measured = {"measured": {"nuclei_rate": 7.0}}
    assert not with_traits(Clip("x", b"", "wav", metadata=measured), bins).profile.rated
    for emotions in (None, {}, {"Awe": 0.5}):
        before = VoiceProfile(emotions)
        after = with_traits(Clip("x", b"", "wav", profile=before, metadata=measured), bins).profile
        assert after == VoiceProfile(emotions, traits={"pace": "very fast"})


def test_the_job_annotates_measured_clips_and_fails_others(corpus, bins, clips, tmp_path, run_on, failures):
    file = tmp_path / "thresholds.json"
    bins.write(file)
    assert corpus_thresholds(corpus) == read_thresholds(file) == bins
    job = AnnotateByMeasures(file)
    made = run_on(job, clips[0], Clip("bare", b"", "wav"))
    assert [clip.id for clip in made] == ["c000"]
    assert made[0].profile.emotions == {"Awe": 0.5}
    assert made[0].metadata["traits_by"] == {"by": "measures", "thresholds": job.settings()["thresholds"]}
    assert isinstance(failures["bare"], CorpusError)
    assert run_on(job, made[0]) == [made[0]]
    file.write_text("{}")
    with pytest.raises(JobError, match="thresholds"):
        run_on(job, clips[0])


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        '{"thresholds": {"snr": {"": [4, 3, 2, 1]}}}',
        '{"thresholds": {"snr": {"": [1, 2, 3, NaN]}}}',
        '{"thresholds": {"loudness of the moon": {"": [1, 2, 3, 4]}}}',
    ],
)
def test_an_invalid_thresholds_file_is_refused_with_its_name(tmp_path: Path, content):
    (tmp_path / "thresholds.json").write_text(content)
    with pytest.raises((SettingsError, CorpusError), match=r"thresholds\.json"):
        read_thresholds(tmp_path / "thresholds.json")


def test_every_rule_gives_known_traits():
    for rule in rules():
        assert rule.trait in TRAITS
        assert len(rule.words or rule.levels) == 5
        for word in filter(None, rule.words):
            assert word in CATEGORIES[rule.trait]
            assert trait(rule.trait, word) == (rule.trait, word)


def test_twenty_clips_have_thresholds_and_groups_are_optional(clips, corpus, tmp_path):
    write_shard(tmp_path / "few.tar", clips[:20])
    few = corpus_thresholds(tmp_path / "few.tar")
    assert (few.clips, set(few.rows["snr"]), set(few.rows["pitch_median"])) == (20, {""}, {""})
    assert set(corpus_thresholds(corpus).rows["pitch_median"]) == {"", "female", "male"}
    of_all = corpus_thresholds(corpus, by_gender=False, by_language=False).rows
    assert all(set(groups) == {""} for groups in of_all.values())


@pytest.mark.parametrize(
    ("number", "limits", "word"),
    [
        *((number, {}, word) for number, word in zip((0.9, 1, 2, 3, 4, 4.1), "abccde", strict=True)),
        *((number, {"low_below": 0.5}, word) for number, word in ((0.4, "a"), (0.5, "c"), (4.1, "e"))),
        *((number, {"high_above": 5}, word) for number, word in ((5.1, "e"), (5, "c"), (0.9, "a"))),
    ],
)
def test_a_number_on_a_threshold_or_limit_belongs_to_the_range_nearer_the_middle(number, limits, word):
    assert Rule("snr", "pace", words=tuple("abcde"), **limits).value(number, (1, 2, 3, 4)) == word
