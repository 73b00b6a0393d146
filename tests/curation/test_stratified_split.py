"""No speaker is in two parts, each part has its share of clips and emotions, and only the seed decides."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.corpora import Clip
from budew.curation import stratified_split
from budew.curation.splits import select_part
from budew.curation.stratified_split import split_corpus, stratify
from budew.errors import CorpusError, InputError
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def corpus(seed: int, *, speakers: int = 120, unnamed: int = 0) -> list[Clip]:
    """Clips of voices of very different sizes, each with emotions of its own."""
    rng = np.random.default_rng(seed)
    clips = []
    for speaker in range(speakers):
        liked = rng.choice(EMOTIONS[:12], size=3, replace=False)
        for number in range(int(rng.pareto(1.2)) % 40 + 1):
            profile = VoiceProfile({str(name): 0.5 for name in liked if rng.random() < 0.6})
            clips.append(
                Clip(f"{speaker}/{number}", b"x", "wav", speaker=f"voice {speaker}", profile=profile)
            )
    awe = VoiceProfile({"Awe": 1})
    return clips + [Clip(f"bare {number}", b"x", "wav", profile=awe) for number in range(unnamed)]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=40),
    st.lists(st.integers(1, 9), min_size=2, max_size=4),
    st.randoms(),
)
def test_every_group_is_in_one_part_and_no_part_is_needlessly_empty(rows, given_shares, shuffle):
    counts = np.array([[1 + sum(row), *row] for row in rows], np.int64)
    shares = np.array(given_shares) / sum(given_shares)
    order = np.array(shuffle.sample(range(len(rows)), len(rows)))
    parts = stratify(counts, shares, order=order)
    assert parts.shape == (len(rows),)
    assert set(parts.tolist()) <= set(range(len(shares)))
    assert len(set(parts.tolist())) == min(len(rows), len(shares))
    assert np.array_equal(stratify(counts[order], shares), parts[order])


@pytest.mark.parametrize("seed", [0, 1])
def test_no_speaker_is_in_two_parts_and_every_clip_is_in_one(seed):
    clips = corpus(seed, unnamed=30)
    splits, report = split_corpus(clips, SHARES, seed=seed)
    chosen = {part: list(select_part(clips, splits, part)) for part in SHARES}
    assert sum(map(len, chosen.values())) == len(clips) == report.counts["clips"]
    voices = {part: {clip.speaker for clip in held if clip.speaker} for part, held in chosen.items()}
    assert sum(map(len, voices.values())) == len(set.union(*voices.values()))
    for part in report.parts:
        held = chosen[part.name]
        assert part.counts["clips"] == len(held)
        assert part.speakers == len(voices[part.name])
        assert part.unnamed == sum(clip.speaker is None for clip in held)
        for name in ("Awe", EMOTIONS[0]):
            assert part.counts[name] == sum(name in clip.profile.emotions for clip in held)
        assert part.counts["no emotion"] == sum(not clip.profile.emotions for clip in held)


def test_parts_have_their_shares_of_clips_and_of_every_emotion():
    _, report = split_corpus(corpus(5), SHARES)
    for part in report.parts:
        assert report.share(part) == pytest.approx(part.asked, abs=0.02)
        assert report.mean_deviation(part) < 150 / part.counts["clips"]  # a clip and a half
        assert not report.missing(part)
    table = json.loads(json.dumps(report.to_dict()))
    assert sum(part["clips"] for part in table["parts"].values()) == table["clips"]
    assert table["parts"]["test"]["emotions"]["Awe"]["deviation"] == pytest.approx(
        report.deviations(report.parts[2])["Awe"], abs=1e-4
    )


def test_clips_with_unknown_emotions_fill_parts_and_no_stratum():
    known = corpus(9)
    unknown = [replace(clip, id=f"m {clip.id}", profile=VoiceProfile(None)) for clip in known[:50]]
    bare = [replace(clip, id=f"b {clip.id}", profile=None) for clip in known[:7]]
    (_, report), (_, before) = (split_corpus(some, SHARES) for some in ([*known, *unknown, *bare], known))
    assert report.counts == {**before.counts, "clips": len(known) + 57}
    assert (report.emotions_unknown, before.emotions_unknown) == (57, 0)
    assert report.to_dict()["clips_with_unknown_emotions"] == 57


def test_the_order_of_the_corpus_changes_nothing_and_the_seed_does():
    clips = corpus(7, unnamed=20)
    first, _ = split_corpus(clips, SHARES)
    again, _ = split_corpus(random.Random(1).sample(clips, len(clips)), SHARES)
    other, _ = split_corpus(clips, SHARES, seed=1)
    assert first == again
    assert first.digest == again.digest
    assert first.speakers != other.speakers
    assert first.digest != other.digest


def test_clips_of_one_recording_stay_together_where_no_speaker_is_known():
    pieces = [
        Clip(f"talk {n % 20}-{n:03d}", b"x", "wav", metadata={"segment": {"recording": f"talk {n % 20}"}})
        for n in range(200)
    ]
    odd = [Clip(f"odd {n}", b"x", "wav", metadata={"segment": what}) for n, what in enumerate((3, {}, None))]
    named = [replace(clip, id=f"n {clip.id}", speaker="host") for clip in pieces[:30]]
    splits, report = split_corpus([*pieces, *odd, *named], SHARES)
    held = {
        part: [clip.metadata["segment"]["recording"] for clip in select_part(pieces, splits, part)]
        for part in SHARES
    }
    assert sum(len(set(names)) for names in held.values()) == 20
    assert set(splits.clips) == {clip.id for clip in odd}
    assert set(splits.speakers) == {"host"}
    for part in report.parts:
        assert part.recordings == len(set(held[part.name]))
        assert part.recorded == len(held[part.name])
        assert part.unnamed - part.recorded == sum(splits.part_of(clip) == part.name for clip in odd)
    assert report.to_dict()["parts"]["train"]["recordings"] == len(set(held["train"]))
    assert splits.digest != replace(splits, recordings={}).digest
    assert all(splits.part_of(replace(clip, id=f"late {clip.id}")) == splits.part_of(clip) for clip in pieces)


def test_too_many_clips_without_a_speaker_are_placed_by_hash(monkeypatch):
    monkeypatch.setattr(stratified_split, "MOST_UNNAMED", 100)
    clips = corpus(10, unnamed=300)
    splits, report = split_corpus(clips, SHARES)
    assert not report.listed
    assert splits.clips == {}
    assert not splits.lists_clips
    assert sum(part.unnamed for part in report.parts) == 300
    for part in report.parts:
        assert part.counts["clips"] == len(list(select_part(clips, splits, part.name)))
        assert report.share(part) == pytest.approx(part.asked, abs=0.02)


def test_fewer_speakers_than_parts_is_an_error_and_as_many_are_enough():
    clips = corpus(11, speakers=3)
    splits, _ = split_corpus(clips, SHARES)
    assert set(splits.speakers.values()) == set(SHARES)
    with pytest.raises(CorpusError, match="3 parts need at least as many speakers, but there are 2"):
        split_corpus([clip for clip in clips if clip.speaker != "voice 0"], SHARES)


@pytest.mark.parametrize(
    "shares", [{"train": 1.0}, {"a": 0.5, "b": 0.6}, {"a": 1.5, "b": -0.5}, {"a": 0.5, "b": float("nan")}]
)
def test_shares_that_are_not_a_split_are_refused(shares):
    with pytest.raises(InputError, match=r"add up|two parts|above 0 and below 1"):
        split_corpus([], shares)


@pytest.mark.parametrize("seed", range(4))
def test_moving_a_group_does_not_improve_the_balance(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 9, (30, 4)) + 1
    shares, taken = np.array([0.6, 0.3, 0.1]), rng.integers(0, 20, (3, 4))
    expected = np.outer(shares, counts.sum(axis=0) + taken.sum(axis=0))

    def chi_squared(parts):
        held = taken + np.array([counts[parts == part].sum(axis=0) for part in range(3)])
        return ((held - expected) ** 2 / expected).sum()

    parts = stratify(counts, shares, taken=taken)
    for group in range(len(counts)):
        for part in range(3):
            moved = np.where(np.arange(len(counts)) == group, part, parts)
            assert chi_squared(moved) >= chi_squared(parts) - 1e-6


def test_deviations_are_in_percentage_points():
    clips = [
        Clip(f"{n}", b"x", "wav", speaker="ab"[n > 2], profile=VoiceProfile({"Awe": n % 2})) for n in range(5)
    ]
    _, report = split_corpus(clips, {"large": 0.6, "small": 0.4})
    large, small = report.parts
    assert (report.share(large), report.share(small)) == (0.6, 0.4)
    wanted = {"no emotion": 100 * (2 / 3 - 3 / 5), "Awe": 100 * (1 / 3 - 2 / 5)}
    assert report.deviations(large) == pytest.approx(wanted)
    assert report.mean_deviation(large) == pytest.approx(100 / 15)
    assert (report.missing(large), report.missing(small)) == ([], [])
