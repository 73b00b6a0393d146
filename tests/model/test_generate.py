import warnings
from copy import deepcopy

import pytest
import torch

from budew.errors import InputError
from budew.model.build import PREFIX
from budew.model.checkpoint import load_checkpoint
from budew.model.generate import encode, features_of, generate, generation_settings, texts_of
from tests.trained import write_captions


@pytest.fixture(scope="module")
def checkpoint(whisper_folder):
    return load_checkpoint(whisper_folder, device="cpu")


@pytest.fixture
def settings(checkpoint):
    """The generation settings of the checkpoint, to change during a test."""
    kept = checkpoint.model.generation_config
    checkpoint.model.generation_config = deepcopy(kept)
    yield checkpoint.model.generation_config
    checkpoint.model.generation_config = kept


def _captions(checkpoint, windows, **options) -> list[str]:
    return write_captions(checkpoint, encode(checkpoint, windows), **options)


def _prefix(checkpoint, samples) -> list[str]:
    """The special tokens that generation begins with."""
    ids = generate(checkpoint, generation_settings(checkpoint), features_of(checkpoint, [samples]))[0]
    written = checkpoint.processor.tokenizer.convert_ids_to_tokens(ids)
    return [token for token in written[:4] if token.startswith("<|") and not token[2].isdigit()]


def test_language_and_task_are_set_where_the_checkpoint_has_them(
    checkpoint, make_whisper, make_sound, tmp_path
):
    start, *language_and_task, end = PREFIX
    assert _prefix(checkpoint, make_sound(1, 1)) == [start, *language_and_task, end]
    english = load_checkpoint(make_whisper(tmp_path / "english", multilingual=False), device="cpu")
    assert _prefix(english, make_sound(1, 1)) == [start, end]


def test_a_checkpoint_that_chooses_its_language_is_left_its_choice(checkpoint, settings):
    settings.language = "de"
    assert generation_settings(checkpoint).language == "de"


def test_captions_are_at_most_as_long_as_decoder_and_checkpoint_allow(checkpoint, settings):
    positions = checkpoint.model.config.max_target_positions
    assert generation_settings(checkpoint).max_new_tokens == positions - 4
    settings.max_length = 6
    assert generation_settings(checkpoint).max_new_tokens == 6


@pytest.mark.parametrize("beams", [1, 4])
def test_what_is_written_for_a_window_does_not_depend_on_its_batch(checkpoint, make_sound, beams):
    windows = [make_sound(seed, seconds) for seed, seconds in enumerate((2, 0.5, 1.3, 2, 0.1, 1.9, 2))]
    together = _captions(checkpoint, windows, num_beams=beams)
    assert together == [_captions(checkpoint, [window], num_beams=beams)[0] for window in windows]
    assert together[::-1] == _captions(checkpoint, windows[::-1], num_beams=beams)
    assert len(set(together)) > 3


@pytest.mark.parametrize("beams", [1, 4])
def test_shared_encoder_states_give_the_captions_that_features_give(checkpoint, make_sound, beams):
    windows = [make_sound(seed, 1.5) for seed in range(5)]
    settings = generation_settings(checkpoint, num_beams=beams)
    alone = texts_of(checkpoint, generate(checkpoint, settings, features_of(checkpoint, windows)))
    assert _captions(checkpoint, windows, num_beams=beams) == alone


def test_more_beams_find_a_likelier_caption(checkpoint, make_sound):
    windows = [make_sound(seed, 2) for seed in range(6)]
    greedy, searched = (_likelihoods(checkpoint, windows, num_beams=beams) for beams in (1, 8))
    assert torch.isfinite(searched).all()
    assert searched.mean() > greedy.mean()


def _likelihoods(checkpoint, windows, *, num_beams: int) -> torch.Tensor:
    """Mean log probability of a written token, (windows,): what the search makes as large as it can."""
    features = features_of(checkpoint, windows)
    tokens = generate(checkpoint, generation_settings(checkpoint, num_beams=num_beams), features)
    with torch.inference_mode():
        logits = checkpoint.model(features, decoder_input_ids=tokens[:, :-1]).logits
    written = logits.log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0][:, 3:]
    end = checkpoint.model.config.eos_token_id
    ended = (tokens[:, 4:] == end).cumsum(1)
    counted = (ended == 0) | ((ended == 1) & (tokens[:, 4:] == end))
    return (written * counted).sum(1) / counted.sum(1)


def test_a_beam_width_out_of_range_is_refused(checkpoint, settings):
    for wrong in (0, 65):
        with pytest.raises(InputError, match="use 1 to 64"):
            generation_settings(checkpoint, num_beams=wrong)
    assert generation_settings(checkpoint, num_beams=64).num_beams == 64
    for wrong in (10**9, "many", 2.5, True):
        settings.num_beams = wrong
        with pytest.raises(InputError, match=rf"{checkpoint.name}\) is {wrong!r}"):
            generation_settings(checkpoint)
        assert generation_settings(checkpoint, num_beams=2).num_beams == 2


def test_no_special_token_and_no_advice_reaches_the_reader(checkpoint, settings, make_sound, capfd):
    before = settings.to_json_string()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        texts = _captions(checkpoint, [make_sound(seed, 2) for seed in range(8)])
    assert not any("<|" in text for text in texts)
    assert capfd.readouterr() == ("", "")
    assert settings.to_json_string() == before


def test_thresholds_of_a_transcriber_do_not_drop_or_retry_a_caption(checkpoint, settings, make_sound):
    """Nor is anything drawn at random."""
    windows = [make_sound(seed, 2) for seed in range(4)]
    torch.manual_seed(1)
    plain = _captions(checkpoint, windows)
    torch.manual_seed(2)
    settings.no_speech_threshold, settings.logprob_threshold = 1e-9, 10.0
    settings.do_sample, settings.return_timestamps = True, True
    assert _captions(checkpoint, windows) == plain
