"""A prompt for style and parts reaches the decoder as training puts it, and costs the caption nothing."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import pipeline

from budew.captions.caption_prompt import PARTS, STYLES, prompt_of
from budew.errors import BudewWarning, InputError
from budew.inference import Captioner
from budew.inference.file_captioning import caption_files
from budew.inference.options import WritingOptions
from budew.inference.self_consistency import sample_captions
from budew.model.build import PREFIX
from budew.model.checkpoint import load_checkpoint
from budew.model.generate import encode, features_of, generate, generation_settings
from tests.trained import write_captions

PROMPT = "tags, emotions"
RATE = 16_000


@pytest.fixture(scope="module")
def checkpoint(prompted_folder):
    return load_checkpoint(prompted_folder, device="cpu")


@pytest.fixture(scope="module")
def windows(make_sound):
    return [make_sound(seed, 1.5) for seed in range(4)]


def test_a_greedy_caption_is_the_likeliest_after_prompt_and_prefix_and_fills_the_decoder(checkpoint, windows):
    tokenizer = checkpoint.processor.tokenizer
    before = tokenizer.get_prompt_ids(PROMPT).tolist()
    settings = generation_settings(checkpoint, prompt=PROMPT)
    written = generate(checkpoint, settings, features_of(checkpoint, windows), prompt=PROMPT)
    assert tokenizer.convert_ids_to_tokens(before)[0] == "<|startofprev|>"
    assert tokenizer.convert_ids_to_tokens(written[0, :4]) == list(PREFIX)
    assert len(before) + written.shape[1] == checkpoint.model.config.max_target_positions
    given = torch.cat([torch.tensor([before] * len(windows)), written[:, :-1]], dim=1)
    with torch.no_grad():
        logits = checkpoint.model(features_of(checkpoint, windows), decoder_input_ids=given).logits
    logits[..., settings.suppress_tokens] = -torch.inf
    assert logits[:, len(before) + 3 :].argmax(-1).equal(written[:, 4:])


@pytest.mark.parametrize("how", ["greedy", "beams", "samples"])
def test_each_prompt_gives_captions_of_its_own_whatever_the_batch(checkpoint, windows, how):
    def captions(some, prompt):
        encoded = encode(checkpoint, some)
        if how == "samples":
            return sample_captions(checkpoint, encoded, num_samples=2, prompt=prompt)
        return write_captions(checkpoint, encoded, num_beams=3 if how == "beams" else 1, prompt=prompt)

    of_each = [captions(windows, prompt) for prompt in ("", PROMPT, "prose, all")]
    assert all(len({of_one[place] for of_one in of_each}) == 3 for place in range(len(windows)))
    assert of_each[1] == [captions([window], PROMPT)[0] for window in windows]


def test_the_stock_pipeline_writes_what_the_captioner_does(prompted_folder, checkpoint, windows):
    stock = pipeline("automatic-speech-recognition", model=str(prompted_folder), device="cpu")
    prompt_ids = stock.tokenizer.get_prompt_ids(PROMPT, return_tensors="pt")
    inputs = [{"raw": window, "sampling_rate": RATE} for window in windows]
    stock_texts = [one["text"] for one in stock(inputs, generate_kwargs={"prompt_ids": prompt_ids})]
    assert stock_texts == write_captions(checkpoint, encode(checkpoint, windows), prompt=PROMPT)


def test_a_captioner_prompts_with_what_training_draws(checkpoint, monkeypatch, windows):
    drawn = {prompt_of(style, parts) for style in STYLES for parts in PARTS}
    asked = {
        Captioner(checkpoint, WritingOptions(style=style, parts=parts)).decoding.prompt
        for style in (None, *STYLES)
        for parts in (None, *PARTS)
    }
    assert asked == {"", *drawn}
    texts = write_captions(checkpoint, encode(checkpoint, windows[:1]), prompt=PROMPT)
    captioner = Captioner(checkpoint, WritingOptions(style="tags", parts="emotions", num_samples=2))
    parsed = []
    monkeypatch.setattr(
        "budew.inference.recording_state.without_stray_letters",
        lambda text: (parsed.append(text) or text, ""),
    )
    assert captioner(windows[0], sampling_rate=RATE).caption == texts[0]
    sampled = sample_captions(checkpoint, encode(checkpoint, windows[:1]), num_samples=2, prompt=PROMPT)[0]
    assert parsed == [texts[0], *sampled]


def test_emotions_that_are_not_asked_for_are_unrated_and_silence_rates_them(checkpoint, windows):
    sound, silence = windows[0], np.zeros(2 * RATE, np.float32)
    for parts, rated in (("all", True), ("emotions", True), ("bursts", False), ("speaker", False)):
        captioner = Captioner(checkpoint, WritingOptions(parts=parts, num_samples=2))
        for result in captioner([sound, np.concatenate([silence, sound])], sampling_rate=RATE):
            assert result.profile.fully_rated == result.expected.fully_rated == rated
            assert bool(result.profile.rated) == rated
        assert captioner(silence, sampling_rate=RATE).profile.fully_rated


def test_a_checkpoint_without_prompts_warns_once_and_writes_as_without(captioner, sounds):
    assert not captioner.backend.checkpoint.trained_with_prompts
    with pytest.warns(BudewWarning, match=captioner.backend.checkpoint.name):
        asked = Captioner(
            captioner.backend.checkpoint, WritingOptions(style="tags", parts="speaker", batch_size=1)
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(caption_files(asked, [sounds])) == list(caption_files(captioner, [sounds]))


def test_no_such_style_or_part_is_an_error_that_names_the_choices(checkpoint, captioner):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for model in (checkpoint, replace(captioner.backend.checkpoint)):
            for wrong, choice in ({"style": "poem"}, "tags"), ({"parts": "age"}, "speaker"):
                with pytest.raises(InputError, match=choice):
                    Captioner(model, WritingOptions(**wrong))
