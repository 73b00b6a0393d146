"""Copies are found however they were made; different sentences of one voice are not taken for copies."""

import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from budew.corpora import Clip, write_shard
from budew.curation.duplicates import Duplicates, find_duplicates
from budew.curation.fingerprint import KEYS, fingerprint, fingerprint_bits, surest
from budew.curation.fingerprint_index import (
    LEAST_FRAMES,
    SURE_FRAMES,
    FingerprintIndex,
    Joined,
    Link,
    compare,
)
from budew.errors import CorpusError
from budew.synthesis.clip_audio import synthesize
from budew.synthesis.clip_plan import plan_clip
from budew.synthesis.espeak import Espeak
from budew.synthesis.tables import table

RATE = 16_000
Samples = NDArray[np.float32]


@pytest.fixture(scope="module")
def sentences() -> dict[str, Samples]:
    """Sentences of one voice, which differ in their words alone."""
    plan = replace(plan_clip(8, seed=5, split="train"), bursts_before=(), bursts_after=())
    with Espeak() as espeak:
        return {
            text: synthesize(replace(plan, text=text), espeak) for text in table("texts")[plan.voice.language]
        }


def encoded(samples: Samples, format: str = "FLAC", rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, (32_767 * samples).astype(np.int16), rate, format=format, subtype="PCM_16")
    return file.getvalue()


def mp3(samples: Samples, kilobits: int = 64, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        track = container.add_stream("libmp3lame", rate=rate)
        track.bit_rate, track.codec_context.layout = 1000 * kilobits, "mono"
        frame = av.AudioFrame.from_ndarray((32_767 * samples)[None].astype(np.int16), "s16", "mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(track.codec_context.format.name, "mono", rate)
        for part in (*resampler.resample(frame), *resampler.resample(None), None):
            for packet in track.encode(part):
                container.mux(packet)
    return file.getvalue()


def at(samples: Samples, rate: int) -> Samples:
    return np.asarray(soxr.resample(samples, RATE, rate), np.float32)


COPIES: dict[str, Callable[[Samples], bytes]] = {
    "mp3 at 64 kbit/s": mp3,
    "6 dB quieter": lambda samples: encoded(samples / 2),
    "200 ms cut off": lambda samples: encoded(samples[3_200:]),
    "137 ms and the end cut off": lambda samples: encoded(samples[2_192:-1_000]),
    "resampled": lambda samples: encoded(at(samples, 44_100), rate=44_100),
    "all of it": lambda samples: mp3(at(samples[3_200:] / 2, 22_050), rate=22_050),
}


def corpus(folder: Path, audio: dict[str, bytes]) -> Path:
    write_shard(folder / "a.tar", [Clip(id, content, "wav") for id, content in audio.items()])
    return folder / "a.tar"


def together(found: Duplicates) -> set[frozenset[str]]:
    return {frozenset(id for id, _ in group.clips) for group in found.groups}


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_found_and_no_other_sentence_of_the_voice_is_taken_for_one(sentences, tmp_path, kind):
    audio = {f"{number}": encoded(samples) for number, samples in enumerate(sentences.values())}
    copies = {f"{number} too": COPIES[kind](samples) for number, samples in enumerate(sentences.values())}
    found = find_duplicates(corpus(tmp_path, audio | copies))
    assert together(found) == {frozenset((id, f"{id} too")) for id in audio}
    assert not any(group.exact for group in found.groups)
    assert all(match.errors < 0.2 for group in found.groups for match in group.matches)
    assert (found.clips, found.bad, found.too_short, len(found.extra)) == (2 * len(audio), 0, 0, len(audio))
    if kind == "200 ms cut off":
        assert all(abs(abs(match.offset) - 0.2) < 0.02 for group in found.groups for match in group.matches)
        assert all(" too" not in group.clips[0][0] for group in found.groups)  # the longer is kept


def test_equal_samples_are_exact_copies_whatever_their_format_and_nothing_else_is(sentences, tmp_path):
    first, second = list(sentences.values())[:2]
    audio = {
        "b wav": encoded(first, "WAV"),
        "a flac": encoded(first),
        "c aiff": encoded(first, "AIFF"),
        "d rate": encoded(first, rate=RATE + 1),
        "e other": encoded(second),
        "f one sample more": encoded(np.append(first, np.float32(0.1))),
    }
    found = find_duplicates(corpus(tmp_path, audio))
    assert together(found) == {frozenset(audio) - {"e other"}}
    (group,) = found.groups
    assert group.clips[0][0] == "f one sample more"  # the longest
    exact = {(match.one, match.other) for match in group.matches if match.exact}
    assert exact == {("a flac", "b wav"), ("a flac", "c aiff")}
    assert len(group.matches) == len(group.clips) - 1
    told = json.loads(json.dumps(found.to_dict()))
    assert told["groups"][0]["keep"] == "f one sample more"
    assert told["extra_clips"] == 4


def test_neither_the_order_of_the_corpus_nor_the_workers_change_what_is_found(sentences, tmp_path):
    audio = {f"{number}": encoded(samples) for number, samples in enumerate(list(sentences.values())[:6])}
    audio |= {f"{number} too": mp3(samples) for number, samples in enumerate(list(sentences.values())[:3])}
    audio |= {f"{number} again": content for number, content in enumerate(list(audio.values())[:2])}
    shuffled = dict(random.Random(2).sample(list(audio.items()), len(audio)))
    first = find_duplicates(corpus(tmp_path / "a", audio))
    second = find_duplicates(corpus(tmp_path / "b", shuffled), workers=2)
    assert first.groups == second.groups
    assert together(first) == {
        frozenset(("0", "0 too", "0 again")),
        frozenset(("1", "1 too", "1 again")),
        frozenset(("2", "2 too")),
    }


def test_silence_is_a_copy_of_equal_silence_only(tmp_path):
    audio = {f"{n} ms": encoded(np.zeros(16 * n, np.float32)) for n in (2_000, 3_000, 4_000)}
    found = find_duplicates(corpus(tmp_path, audio | {"again": audio["3000 ms"]}))
    assert together(found) == {frozenset(("3000 ms", "again"))}


def test_tones_of_many_pitches_are_as_many_recordings(tmp_path):
    time = np.arange(3 * RATE) / RATE
    audio = {
        f"{pitch}": encoded((0.3 * np.sin(2 * np.pi * pitch * time)).astype(np.float32))
        for pitch in range(200, 3_000, 200)
    }
    assert together(find_duplicates(corpus(tmp_path, audio))) == set()


def test_what_cannot_be_heard_is_told_and_what_is_short_or_damaged_is_counted(sentences, tmp_path):
    speech = next(iter(sentences.values()))
    whole = mp3(np.tile(speech, 3))
    audio = {
        "text": b"no audio at all",
        "short": encoded(speech[:8_000]),
        "short too": encoded(speech[:8_000], "WAV"),
        "cut": whole[: len(whole) // 2],
    }
    bad: list[CorpusError] = []
    found = find_duplicates(corpus(tmp_path, audio), on_bad=bad.append)
    assert (found.clips, found.bad, found.too_short, found.damaged) == (3, 1, 2, 1)
    assert "'text'" in str(bad[0])
    assert together(found) == {frozenset(("short", "short too"))}
    with pytest.raises(CorpusError, match="'text'"):
        find_duplicates(corpus(tmp_path, audio))


def test_a_long_recording_is_hashed_whole_and_fingerprinted_in_part(tmp_path):
    noise = np.random.default_rng(4).normal(0, 0.1, 130 * 8_000).astype(np.float32)
    longer = noise.copy()
    longer[-1] = 0.5
    heard = [fingerprint(encoded(samples, rate=8_000), name="x") for samples in (noise, longer)]
    assert heard[0].digest != heard[1].digest
    assert heard[0].seconds == 130
    assert len(heard[0].bits) == pytest.approx(120 / 0.032, abs=30)
    assert np.array_equal(heard[0].bits, heard[1].bits)


def test_keys_are_values_of_frames_that_are_not_quiet_each_once():
    generator = np.random.default_rng(2)
    samples = generator.normal(0, 0.1, 40_000).astype(np.float32)
    samples[20_000:] *= 1e-5
    bits, sureness = fingerprint_bits(samples)
    assert len(bits) == len(sureness)
    assert (bits[-60:] == 0).all()
    keys = surest(bits, sureness)
    assert len(keys) == len(set(keys.tolist())) <= KEYS
    assert set(keys.tolist()) <= set(bits.tolist()) - {0}
    assert bits[np.argmax(sureness)] == keys[0]


def fingerprints(seed: int, count: int, frames: int) -> Iterator[NDArray[np.uint32]]:
    generator = np.random.default_rng(seed)
    for _ in range(count):
        yield generator.integers(1, 2**32, frames, dtype=np.uint32)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(-12, 12), st.floats(0, 0.2))
def test_a_shifted_fingerprint_with_some_bits_flipped_is_linked_and_others_are_not(seed, shift, share):
    originals = list(fingerprints(seed, 12, 90))
    flips = np.random.default_rng(seed + 1).random((90, 32)) < share
    flips[40] = False  # the frame that both are looked up by
    masks = (flips * (1 << np.arange(32, dtype=np.uint64))).sum(axis=1).astype(np.uint32)
    copy = originals[3] ^ masks
    copy = copy[shift:] if shift >= 0 else np.concatenate([next(fingerprints(9, 1, -shift)), copy])
    with FingerprintIndex() as index:
        for bits in (*originals, copy):
            index.add(bits, originals[3][40:41] if bits is copy else bits[38:44])
        assert np.array_equal(index.bits(3), originals[3])
        links = list(index.links(range(13)))
    assert [(link.first, link.second) for link in links] == [(3, 12)]
    assert links[0].offset == pytest.approx(0.032 * shift)
    assert links[0].errors <= share + 0.05


def test_excerpts_are_no_copies_and_fewer_frames_have_to_agree_better():
    (long,) = fingerprints(1, 1, 200)
    assert compare(long, long, int(long[50])) == (0.0, 0)
    assert compare(long, long[40:], int(long[50])) == (0.0, 40)
    assert compare(long, long[60:], int(long[70]))[0] == 1
    few = long[: SURE_FRAMES // 2].copy()
    flipped = few ^ np.uint32(1)
    flipped[5] = few[5]
    errors, _ = compare(few, flipped, int(few[5]))
    assert errors == pytest.approx(2 * (len(few) - 1) / (32 * len(few)))
    short = long[: LEAST_FRAMES - 1]
    assert compare(short, short, int(short[3]))[0] == 1


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30))
def test_what_was_joined_is_one_set_and_nothing_else_is(pairs):
    joined = Joined(20)
    sets = [{number} for number in range(20)]
    for one, other in pairs:
        joined.join(one, other)
        merged = sets[one] | sets[other]
        for number in merged:
            sets[number] = merged
    for one in range(20):
        for other in range(20):
            assert (joined.root(one) == joined.root(other)) == (other in sets[one])


def test_many_copies_of_one_recording_take_one_link_each():
    (bits,) = fingerprints(3, 1, 60)
    with FingerprintIndex() as index:
        for _ in range(40):
            index.add(bits, bits[:KEYS])
        links = list(index.links(range(40)))
    assert len(links) == 39
    assert links[0] == Link(0, 1, 0.0, 0.0)
