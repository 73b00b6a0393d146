import numpy as np
import pytest

from budew.captions import parse
from budew.corpora import read
from budew.heads.presence import PresenceCurves
from budew.inference import Captioner, self_consistency
from budew.inference.captioned_recording import without_stray_letters
from budew.inference.options import WritingOptions
from budew.inference.repetition import repetition_stop
from budew.inference.self_consistency import GumbelNoise, consensus, presence_shares
from budew.io.resources import data_folder
from budew.model.generate import encode, generation_settings
from budew.profile import VoiceProfile, expectation
from budew.taxonomy import EMOTIONS


def _samples(checkpoint, windows, **options) -> list[tuple[str, ...]]:
    return self_consistency.sample_captions(checkpoint, encode(checkpoint, windows), **options)


def test_samples_do_not_depend_on_the_batch(captioner, make_sound):
    windows = [make_sound(seed, 1.0) for seed in range(3)]
    together = _samples(captioner.backend.checkpoint, windows, num_samples=4)
    assert together == [_samples(captioner.backend.checkpoint, [one], num_samples=4)[0] for one in windows]
    assert [len(several) for several in together] == [4, 4, 4]
    assert len(set(together[0])) > 1
    assert _samples(captioner.backend.checkpoint, windows, num_samples=0) == [()] * 3


def test_numbers_that_repeat_themselves_are_sampled_whole(captioner, make_sound, monkeypatch):
    checkpoint, settings = captioner.backend.checkpoint, generation_settings
    few = list(range(4, checkpoint.model.config.vocab_size))  # the texts are made of four tokens

    def restricted(*args, **options):
        made = settings(*args, **options)
        made.suppress_tokens = few
        return made

    monkeypatch.setattr(self_consistency, "generation_settings", restricted)
    windows = [make_sound(seed, 1.0) for seed in range(4)]
    whole, ended = (
        _samples(checkpoint, windows, num_samples=4, stopping_criteria=stop)
        for stop in (None, repetition_stop())
    )
    pairs = [pair for several in zip(whole, ended, strict=True) for pair in zip(*several, strict=True)]
    assert all(text.startswith(part) for text, part in pairs)
    assert any(len(part) < len(text) for text, part in pairs)


def test_noise_draws_tokens_as_often_as_the_model_weighs_them():
    import torch

    shares = torch.tensor([0.6, 0.3, 0.1])
    noise = GumbelNoise(range(4000))
    drawn = noise(torch.zeros(4000, 1, dtype=torch.long), shares.log().expand(4000, 3)).argmax(dim=1)
    counts = np.bincount(drawn.numpy(), minlength=3) / 4000
    assert counts == pytest.approx(shares.numpy(), abs=0.03)


def test_samples_do_not_depend_on_how_many_are_drawn_at_once(captioner, make_sound, monkeypatch):
    windows = [make_sound(seed, 1.0) for seed in range(2)]
    together = _samples(captioner.backend.checkpoint, windows, num_samples=7)
    monkeypatch.setattr(self_consistency, "MAX_ROWS", 5)
    assert _samples(captioner.backend.checkpoint, windows, num_samples=7) == together
    few = _samples(captioner.backend.checkpoint, windows, num_samples=4)
    assert few == [several[:4] for several in together]


def _parsed(captions) -> list[VoiceProfile]:
    return [parse(caption).profile for caption in captions]


SAMPLED = (
    "A female voice expresses strong anger, punctuated by a growl.",
    "A female voice expresses strong anger and moderate fear, punctuated by a growl.",
    "A male voice expresses extreme fear.",
    "A female voice expresses moderate anger.",
    "Zzz.",
    "A female voice expresses slight awe.",
)


def test_the_expectation_is_the_plain_mean_and_captions_that_say_nothing_count_as_0():
    profile = expectation(_parsed(SAMPLED))
    assert dict(profile.emotions) == pytest.approx({"Anger": 2 / 6, "Fear": 1.5 / 6, "Awe": 0.25 / 6})
    assert profile.bursts == ()
    assert dict(profile.traits) == {"gender": "female"}
    assert expectation(_parsed(["Zzz."])).vector() == pytest.approx(np.zeros(len(EMOTIONS)))


def test_the_consensus_leaves_weak_emotions_out():
    profile = consensus(expectation(_parsed(SAMPLED)))
    assert dict(profile.emotions) == pytest.approx({"Anger": 2 / 6, "Fear": 1.5 / 6})
    assert dict(profile.traits) == {"gender": "female"}


def test_scores_come_from_the_samples_and_the_caption_does_not(captioner, make_sound):
    sampled = Captioner(captioner.backend.checkpoint, WritingOptions(num_samples=5))
    window = make_sound(4, 1.0)
    plain, asked = captioner(window, sampling_rate=16_000), sampled(window, sampling_rate=16_000)
    assert asked.caption == plain.caption
    assert plain.expected == plain.profile
    several = _samples(captioner.backend.checkpoint, [window], num_samples=5)[0]
    assert asked.expected == expectation(_parsed(without_stray_letters(one)[0] for one in several))
    assert asked.profile == consensus(asked.expected)


def test_presence_is_the_share_of_samples_that_name_an_emotion_and_is_calibrated(captioner, make_sound):
    assert presence_shares(_parsed(SAMPLED)) == dict.fromkeys(EMOTIONS, 0) | {
        "Anger": 3 / 6, "Fear": 2 / 6, "Awe": 1 / 6,
    }  # fmt: skip
    clip = next(iter(read(data_folder("demo_clips"))))
    curves = PresenceCurves(pooled=(-1.0, 2.0), emotions={"Anger": (-3.0, 4.0)})
    plain, calibrated = (
        Captioner.from_pretrained(device="cpu", num_samples=5, presence=given)(clip.audio)
        for given in (None, curves)
    )
    (window,) = plain.windows
    assert plain.presence == presence_shares(_parsed(window.samples))
    assert max(plain.presence.values()) > 0
    assert calibrated.presence == curves.applied_to(plain.presence)
    assert plain.to_dict()["presence"] == {n: round(v, 4) for n, v in plain.presence.items() if v > 0}
    greedy = captioner(make_sound(1, 1.0), sampling_rate=16_000)
    assert greedy.presence is None
    assert "presence" not in greedy.to_dict()


def test_the_encoder_runs_once_for_a_batch(captioner, make_sound):
    passes = []
    hook = captioner.backend.checkpoint.model.get_encoder().register_forward_hook(lambda *_: passes.append(1))
    asked = Captioner(captioner.backend.checkpoint, WritingOptions(num_samples=3, num_beams=2))
    asked([make_sound(seed, 2.0) for seed in range(4)], sampling_rate=16_000)
    hook.remove()
    assert len(passes) == 1
