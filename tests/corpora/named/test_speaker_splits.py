"""Fixed splits give each speaker one split, and a corpus is read by split without a file in between."""

from itertools import pairwise

import numpy as np
import pytest
import soundfile

from budew.corpora import read
from budew.corpora.named.definition import known_corpora, known_corpus
from budew.corpora.named.named_folder import named_folder
from budew.corpora.sources import matches
from budew.errors import CorpusError, InputError
from budew.training.clip_index import index_corpus

SPEAKERS = {
    "emodb": {"03": "train", "09": "validation", "10": "test", "13": "test", "15": "validation"},
    "emogator": {
        "000001": "train", "000300": "train", "000301": "validation", "000328": "validation",
        "000329": "test", "000357": "test", "000358": None, "15": None,
    },
    "librispeech": {"3331": "test", "8419": "validation", "84": "train", "33310": "train"},
    "nemo": {"KS0": "validation"},
    "ravdess": {"24": "test"},
    "kerstin": {"kerstin": None},
}  # fmt: skip


@pytest.fixture
def emodb(tmp_path):
    for name in ("03a01Wa", "09a02Fb", "10a07Nc", "13b01Ta", "16b10Lb"):
        soundfile.write(tmp_path / f"{name}.wav", np.sin(np.arange(8_000) / 9), 16_000)
    return tmp_path


def test_every_speaker_is_in_the_split_of_the_table():
    for corpus, wanted in SPEAKERS.items():
        assert {speaker: known_corpus(corpus).split_of(speaker) for speaker in wanted} == wanted


def test_no_speaker_is_named_in_two_splits_of_a_known_corpus():
    for corpus in known_corpora().values():
        splits = corpus.splits
        assert set(splits) <= {"train", "validation", "test"}
        named = [speaker for speakers in splits.values() for speaker in speakers]
        assert len(named) == len(set(named))
    splits = known_corpus("emogator").splits
    ranges = sorted(entry.split("..") for entries in splits.values() for entry in entries)
    assert all(int(before[1]) < int(after[0]) for before, after in pairwise(ranges))


def test_a_source_reads_the_speakers_of_its_split(emodb):
    read_by = {
        split: {clip.speaker for clip in read(f"emodb@{split}:{emodb}")}
        for split in known_corpus("emodb").splits
    }
    assert read_by == {"train": {"03", "16"}, "validation": {"09"}, "test": {"10", "13"}}
    assert {clip.speaker for clip in read(f"emodb:{emodb}")} == {"03", "09", "10", "13", "16"}
    (entry,) = matches(f"EmoDB@test:{emodb}")
    assert str(entry) == f"emodb@test:{emodb}"


def test_training_indexes_the_splits_of_one_folder_apart(emodb, tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    sizes = [len(index_corpus(f"emodb@{split}:{emodb}", folder)) for split in ("train", "test", "validation")]
    assert sizes == [2, 2, 1]


def test_splits_that_are_not_there_are_named(emodb):
    with pytest.raises(InputError, match="emodb has train, validation, test"):
        list(read(f"emodb@dev:{emodb}"))
    with pytest.raises(InputError, match="kerstin has no fixed splits"):
        named_folder("kerstin@train", emodb)
    (emodb / "10a07Nc.wav").unlink()
    (emodb / "13b01Ta.wav").unlink()
    with pytest.raises(CorpusError, match="none of its 3 recordings"):
        list(read(f"emodb@test:{emodb}"))
    with pytest.raises(InputError):
        named_folder("emodb@", emodb)
