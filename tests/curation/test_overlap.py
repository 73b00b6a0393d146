"""Copies of clips are found after encoding, cutting and noise, and by name; other clips are not."""

import io
import json

import av
import numpy as np
import pytest

from budew.audio.samples import decode, encode_audio
from budew.corpora import Clip, read, write_shard
from budew.curation import Select, find_overlap
from budew.curation.fingerprints import RATE, SoundIndex, codes_of, sketch_of
from budew.errors import CorpusError, InputError
from budew.io.resources import data_folder

KINDS = ("same", "mp3", "cut", "noisy")


def mp3_of(samples: np.ndarray, rate: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=rate, layout="mono")
        stream.bit_rate = 64_000
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return file.getvalue()


def changed(clip: Clip, kind: str) -> tuple[bytes, str]:
    decoded = decode(clip.audio, sampling_rate=44_100 if kind == "mp3" else None)
    samples, rate = decoded.samples, decoded.sampling_rate
    if kind == "mp3":
        return mp3_of(samples, rate), "mp3"
    if kind == "cut":
        samples = samples[rate // 2 : -rate // 2]
    if kind == "noisy":
        noise = np.random.default_rng(1).normal(0, np.sqrt(np.mean(samples**2) / 4_000), len(samples))
        samples = samples / 2 + noise.astype(np.float32)
    return encode_audio(samples, rate, "WAV"), "wav"


@pytest.fixture(scope="module")
def demo() -> list[Clip]:
    return list(read(data_folder("demo_clips") / "clips.tar"))


@pytest.fixture
def planted(demo, tmp_path):
    """The demo clips as a test set, and training data with changed copies of twelve of them."""
    write_shard(tmp_path / "test.tar", demo)
    copies = [Clip(f"copy{number}", *changed(demo[number], KINDS[number % 4])) for number in range(12)]
    write_shard(tmp_path / "train.tar", copies)
    return tmp_path / "train.tar", tmp_path / "test.tar"


def test_copies_are_found_whatever_was_done_to_them_and_no_other_clips(planted, demo, tmp_path):
    progress: list[int] = []
    found = find_overlap(*planted, progress=progress.append)
    expected = {demo[number].id: (f"copy{number}", KINDS[number % 4]) for number in range(12)}
    assert {test: train for test, train, _ in found.pairs} == {id: copy for id, (copy, _) in expected.items()}
    for test, _, reason in found.pairs:
        assert reason == ("samples" if expected[test][1] == "same" else "sound")
    assert (found.train_clips, found.test_clips, found.bad, max(progress)) == (12, 16, 0, 16)
    cache = tmp_path / "prints.sqlite"
    assert find_overlap(*planted, workers=2, cache=cache).pairs == found.pairs
    table = json.loads(json.dumps(find_overlap(*planted, cache=cache).to_dict()))
    assert (table["found"], table["by"]) == (12, {"samples": 3, "sound": 9})
    within = tmp_path / "within.tar"
    write_shard(within, [*demo[:3], Clip("again", *changed(demo[2], "cut"))])
    assert [pair[:2] for pair in find_overlap(within, within).pairs] == [
        ("again", demo[2].id),
        (demo[2].id, "again"),
    ]


@pytest.mark.parametrize(
    ("train", "test", "same"),
    [
        ("english_alloy_17", "en/Alloy/english_alloy_17.mp3", True),
        ("en/english_alloy_17.flac", "ENGLISH_ALLOY_17", True),
        ("anna/01", "bert/01", False),
        ("anna/01", "anna/01.wav", True),
        ("anna/01", "anna/1", False),
        ("v1.5", "v1.6", False),
    ],
)
def test_names_are_compared_without_suffix_and_without_folders_if_one_has_none(
    tmp_path, demo, train, test, same
):
    for name, id, number in (("train", train, 0), ("test", "row-7", 1)):
        file = {"file_name": test} if name == "test" else {}
        write_shard(
            tmp_path / f"{name}.tar", [Clip(id, demo[number].audio, demo[number].format, metadata=file)]
        )
    found = find_overlap(tmp_path / "train.tar", tmp_path / "test.tar")
    assert found.pairs == ([("row-7", train, "name")] if same else [])


def test_silence_noise_and_short_clips_have_no_copies():
    rng = np.random.default_rng(3)
    silence, other = np.zeros(8_000, np.float32), rng.normal(0, 0.1, 8_000).astype(np.float32)
    noise = rng.normal(0, 0.1, 20_000).astype(np.float32)
    recordings = [codes_of(samples) for samples in (silence, noise, noise[:200])]
    assert [len(codes) for codes in recordings] == [0, 296, 0]
    index = SoundIndex(recordings)
    assert index.copies(codes_of(noise[6_000:14_000])) == [1]
    assert [index.copies(codes_of(samples)) for samples in (silence, other, noise[:1_000])] == [[], [], []]


def test_a_sketch_finds_copies_of_the_whole_clip_and_of_most_of_it(demo):
    samples = [decode(clip.audio, sampling_rate=RATE).samples for clip in demo]
    index = SoundIndex(np.array([sketch_of(codes_of(one)) for one in samples]))
    for number, one in enumerate(samples):
        assert index.copies(codes_of(one)) == [number]
        assert index.copies(codes_of(one[123:-800])) == [number]


def test_broken_clips_are_counted_or_raised(planted, tmp_path):
    write_shard(tmp_path / "broken.tar", [Clip("x", b"no audio", "wav")])
    bad: list[CorpusError] = []
    assert find_overlap(planted[0], tmp_path / "broken.tar", on_bad=bad.append).bad == len(bad) == 1
    with pytest.raises(CorpusError, match="'x'"):
        find_overlap(tmp_path / "broken.tar", planted[1])


def test_select_leaves_out_ids_and_records_them():
    job = Select(left_out=frozenset("ac"))
    clips = [Clip(id, b"x", "wav") for id in "abcd"]
    assert [clip.id for clip in job.run(iter(clips), print)] == ["b", "d"]
    assert job.settings() != Select(left_out=frozenset("ab")).settings()
    with pytest.raises(InputError):
        Select()


def test_commands_list_the_overlap_and_leave_it_out(planted, tmp_path, budew):
    train, test = planted
    outcome = budew("corpus", "overlap", train, test, "--workers", 0, "--json", tmp_path / "o.json")
    assert outcome.status == 0
    assert json.loads((tmp_path / "o.json").read_text())["found"] == 12
    outcome = budew("corpus", "select", test, tmp_path / "clean", "--without", train, "--workers", 0)
    assert outcome.status == 0, outcome.err
    assert len(list(read(f"{tmp_path}/clean/*.tar"))) == 4
