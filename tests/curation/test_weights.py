"""Weights lie between 1 and the cap, grow with rarity, and make the drawn emotions more alike in number."""

import json
import math
from collections import Counter

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.corpora import Clip
from budew.curation.weights import (
    NO_EMOTION,
    Balance,
    WeightReport,
    corpus_balance,
    effective_number,
    read_weights,
    shares,
    weigh,
    write_weights,
)
from budew.errors import CorpusError, InputError
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

intensities = st.dictionaries(
    st.sampled_from(EMOTIONS[:6]), st.sampled_from((0.25, 0.5, 0.75, 1.0)), max_size=3
)
corpora = st.lists(intensities, min_size=1, max_size=30)


def masses_of(profiles: list[VoiceProfile], min_level: float) -> dict[str, float]:
    masses: Counter[str] = Counter()
    for profile in profiles:
        masses.update({n: v for n, v in profile.emotions.items() if v >= min_level} or {NO_EMOTION: 1.0})
    return masses


def report_of(profiles: list[VoiceProfile], **more: float) -> tuple[WeightReport, list[float]]:
    balance = Balance(masses_of(profiles, more.get("min_level", 0.5)), **more)
    report = WeightReport(balance)
    return report, [report.add(profile) for profile in profiles]


@settings(max_examples=200)
@given(corpora, st.floats(1, 8), st.floats(1, 50), st.sampled_from((0.25, 0.5, 0.75)))
def test_weights_lie_between_one_and_the_cap(given_intensities, temperature, cap, min_level):
    profiles = [VoiceProfile(row) for row in given_intensities]
    report, weights = report_of(profiles, temperature=temperature, cap=cap, min_level=min_level)
    assert all(1 - 1e-9 <= weight <= cap + 1e-9 for weight in weights)
    assert (report.lightest, report.heaviest) == (min(weights), max(weights))
    assert 1 <= report.effective_clips + 1e-9 <= len(weights) + 1e-6
    kish = sum(weights) ** 2 / sum(weight**2 for weight in weights)
    assert report.effective_clips == pytest.approx(kish)
    doubled = report_of(profiles * 2, temperature=temperature, cap=cap, min_level=min_level)[1]
    assert doubled == pytest.approx(weights * 2)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=6, unique=True))
def test_rarer_emotions_weigh_more_and_temperature_1_balances_them_fully(counts):
    profiles = [
        VoiceProfile({name: 1.0}) for name, count in zip(EMOTIONS, counts, strict=False) for _ in range(count)
    ]
    report, weights = report_of(profiles, temperature=1, cap=100)
    masses = report.balance.masses
    factors = [report.balance.factor(name) for name in sorted(masses, key=masses.__getitem__)]
    assert factors == sorted(factors, reverse=True)
    assert list(shares(report.weighted).values()) == pytest.approx([1 / len(counts)] * len(counts))
    assert effective_number(shares(report.weighted)) == pytest.approx(len(counts))
    assert min(weights) == 1


def test_a_weight_is_the_mean_factor_weighted_by_intensity():
    balance = Balance({"Anger": 100.0, "Awe": 4.0, "Fear": 1.0, NO_EMOTION: 25.0})
    assert [balance.factor(name) for name in ("Anger", "Awe", "Fear", NO_EMOTION)] == [1, 5, 10, 2]
    assert balance.weight(VoiceProfile({"Anger": 1.0, "Awe": 0.5})) == pytest.approx((1 + 0.5 * 5) / 1.5)
    assert balance.weight(VoiceProfile({"Anger": 1.0, "Awe": 0.25})) == 1  # slight awe does not count
    assert balance.weight(VoiceProfile({"Awe": 0.25})) == 2
    assert math.isclose(Balance({"Anger": 9.0, "Awe": 1.0}, temperature=2).factor("Awe"), 3)


@pytest.mark.parametrize("wrong", [{"temperature": 0.5}, {"cap": 0.0}, {"temperature": float("nan")}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match="1 or more"):
        Balance({"Anger": 1.0}, **wrong)


@pytest.mark.parametrize("name", ["w.jsonl", "new/w.parquet"])
def test_each_clip_with_a_profile_gets_its_weight_in_the_file(tmp_path, name):
    names = ["Anger"] * 16 + ["Awe"] * 4 + ["Fear"]
    clips = [Clip(f"{n} ü", b"x", "wav", profile=VoiceProfile({name: 1})) for n, name in enumerate(names)]
    report = WeightReport(corpus_balance(clips))
    write_weights(tmp_path / name, weigh(clips, report))
    weights = [1.0] * 16 + [2.0] * 4 + [4.0]
    assert read_weights(tmp_path / name) == {
        clip.id: weight for clip, weight in zip(clips, weights, strict=True)
    }
    assert not [path for path in (tmp_path / name).parent.iterdir() if path.name.startswith(".")]
    table = json.loads(json.dumps(report.to_dict()))
    assert table["effective_emotions"]["weighted"] > table["effective_emotions"]["before"]
    assert table["shares"]["Anger"]["before"] == pytest.approx(16 / 21, abs=1e-6)


def test_a_clip_whose_emotions_are_unknown_gets_no_weight_and_is_counted():
    profiles = [VoiceProfile({"Anger": 1}), VoiceProfile(None, (), {"pace": "fast"}), VoiceProfile(), None]
    clips = [Clip(f"c{n}", b"x", "wav", profile=profile) for n, profile in enumerate(profiles)]
    report = WeightReport(corpus_balance(clips))
    assert report.balance.masses == {"Anger": 1.0, NO_EMOTION: 1.0}
    assert [id for id, _ in weigh(clips, report)] == ["c0", "c2"]
    assert (report.clips, report.without_profile, report.emotions_unknown) == (2, 1, 1)
    assert report.to_dict()["clips_with_unknown_emotions"] == 1
    with pytest.raises(CorpusError, match="annotate"):
        corpus_balance([clips[1], clips[3]])


def test_an_error_on_the_way_leaves_no_file(tmp_path):
    def broken():
        yield "a", 1.0
        raise CorpusError("gone")

    for name in ("w.jsonl", "w.parquet"):
        with pytest.raises(CorpusError, match="gone"):
            write_weights(tmp_path / name, broken())
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match=r"\.jsonl or \.parquet"):
        write_weights(tmp_path / "w.csv", [])


@pytest.mark.parametrize(
    "row",
    ["{", "7", '{"id": "a"}', *(f'{{"id": "a", "weight": {weight}}}' for weight in ("-1", "NaN", '"1"'))],
)
def test_an_invalid_line_of_weights_is_an_error_that_names_the_file(tmp_path, row):
    (tmp_path / "w.jsonl").write_text(f'{{"id": "b", "weight": 1}}\n{row}\n')
    with pytest.raises(CorpusError, match=r"w\.jsonl\b.*budew corpus weights"):
        read_weights(tmp_path / "w.jsonl")


def test_an_invalid_table_of_weights_is_an_error_that_names_the_file(tmp_path):
    others = pyarrow.table({"id": ["a"], "level": [1.0]})
    pyarrow.parquet.write_table(others, tmp_path / "others.parquet")
    (tmp_path / "none.parquet").write_bytes(b"PAR1 and no more")
    for path in tmp_path.iterdir():
        with pytest.raises(CorpusError, match=path.name):
            read_weights(path)
    with pytest.raises(InputError, match=r"\.jsonl or \.parquet"):
        read_weights(tmp_path / "w.csv")
