"""States of a corpus and their labels: pooled or flattened, with unknown emotions marked."""

import numpy as np
import pytest
import torch

from budew.corpora import read, write_shard
from budew.errors import CheckpointError, CorpusError
from budew.heads.encoder_states import (
    TARGETS,
    encode_corpus,
    encoder_windows,
    layout_of,
    load_encoder,
    statistics_pooling,
)
from budew.heads.head_files import head_of_weights
from budew.heads.head_training import train_heads
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS
from tests.annotation.sounds import clip_of

from .conftest import published


def test_pooling_is_that_of_the_published_code():
    states = torch.randn(3, 50, 32, generator=torch.Generator().manual_seed(1))
    parts = [
        states.mean(dim=1),
        states.min(dim=1).values,
        states.max(dim=1).values,
        states.std(dim=1),
    ]
    assert torch.equal(statistics_pooling(states), torch.cat(parts, dim=1))


def test_the_size_of_a_head_tells_its_layout(whisper_folder):
    encoder = load_encoder(str(whisper_folder), device="cpu")  # 50 positions of 32 numbers
    layouts = {inputs: "pooled" if inputs == 128 else "flattened" for inputs in (128, 1600)}
    for inputs, layout in layouts.items():
        assert layout_of(head_of_weights("Awe", published(inputs, seed=1).state_dict()), encoder) == layout
    with pytest.raises(CheckpointError, match="Awe: takes 129"):
        layout_of(head_of_weights("Awe", published(129, seed=1).state_dict()), encoder)


def test_all_states_of_all_clips_are_in_a_mapped_file_in_half_precision(corpus, flattened):
    encoder = load_encoder(device="cpu")
    assert isinstance(flattened.states, np.memmap)
    assert (flattened.states.dtype, flattened.positions) == (np.float16, encoder.positions)
    clip = next(iter(read(corpus)))
    states = encoder.states([next(encoder_windows(clip, encoder)).samples]).flatten().numpy()
    assert np.allclose(flattened.states[0], states, rtol=1e-2, atol=1e-2)


def test_unknown_emotions_are_nan_and_clips_used_in_part_are_counted(whisper_folder, tmp_path):
    shard, sound = tmp_path / "some.tar", np.full(8_000, 0.1, np.float32)
    unrated, calm = VoiceProfile(None, (), {"Arousal": 3.0}), VoiceProfile({}, (), {"Arousal": 1.0})
    long = np.full(5 * 16_000, 0.1, np.float32)
    clips = [
        clip_of(sound, "unrated", profile=unrated),
        clip_of(long, "long", profile=calm),
        clip_of(sound, "bare"),
    ]
    write_shard(shard, clips)
    found = encode_corpus(shard, load_encoder(str(whisper_folder)), tmp_path / "states")
    targets = dict(zip(found.speakers, found.targets, strict=True))
    assert np.isnan(targets["unrated"][: len(EMOTIONS)]).all()
    assert not targets["long"][: len(EMOTIONS)].any()
    arousal = TARGETS.index("Arousal")
    assert (targets["unrated"][arousal], targets["long"][arousal]) == (3, 1)
    assert found.unused == {"bare": 1, "unrated": 1, "truncated": 1}


def test_a_corpus_without_profiles_trains_no_head_and_leaves_no_folder(whisper_folder, tmp_path):
    write_shard(tmp_path / "bare.tar", [clip_of(np.full(8_000, 0.1, np.float32), "a")])
    with pytest.raises(CorpusError, match=r"its 0 clips with profiles \(1 are without"):
        train_heads(tmp_path / "bare.tar", tmp_path / "out", encoder=str(whisper_folder))
    assert not (tmp_path / "out").exists()
