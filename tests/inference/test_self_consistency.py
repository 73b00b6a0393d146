import numpy as np
import pytest

from budew.errors import InputError
from budew.inference import Captioner
from budew.inference.self_consistency import GumbelNoise, consensus, sample_captions


def test_samples_do_not_depend_on_the_batch(captioner, make_sound):
    windows = [make_sound(seed, 1.0) for seed in range(3)]
    together = sample_captions(captioner.checkpoint, windows, num_samples=4)
    assert together == [sample_captions(captioner.checkpoint, [one], num_samples=4)[0] for one in windows]
    assert [len(several) for several in together] == [4, 4, 4]
    assert sample_captions(captioner.checkpoint, windows, num_samples=0) == [()] * 3


def test_samples_differ_and_the_seed_decides_them(captioner, make_sound):
    window = make_sound(1, 1.5)
    (first,) = sample_captions(captioner.checkpoint, [window], num_samples=6)
    (second,) = sample_captions(captioner.checkpoint, [window], num_samples=6, seed=1)
    assert len(set(first)) > 1
    assert first != second
    assert sample_captions(captioner.checkpoint, [window], num_samples=3)[0] == first[:3]


def test_noise_draws_tokens_as_often_as_the_model_weighs_them():
    import torch

    shares = torch.tensor([0.6, 0.3, 0.1])
    noise = GumbelNoise(range(4000))
    drawn = noise(torch.zeros(4000, 1, dtype=torch.long), shares.log().expand(4000, 3)).argmax(dim=1)
    counts = np.bincount(drawn.numpy(), minlength=3) / 4000
    assert counts == pytest.approx(shares.numpy(), abs=0.03)


def test_the_consensus_is_the_mean_of_emotions_and_the_majority_of_the_rest():
    profile = consensus(
        [
            "A female voice expresses strong anger, punctuated by a growl.",
            "A female voice expresses strong anger and moderate fear, punctuated by a growl.",
            "A male voice expresses extreme fear.",
            "A female voice expresses moderate anger.",
        ]
    )
    assert dict(profile.emotions) == pytest.approx({"Anger": 0.5, "Fear": 0.375})
    assert profile.bursts == ()
    assert dict(profile.traits) == {"gender": "female"}


def test_scores_come_from_the_samples_and_the_caption_does_not(captioner, make_sound):
    sampled = Captioner(captioner.checkpoint, num_samples=5)
    window = make_sound(4, 1.0)
    plain, asked = captioner(window, sampling_rate=16_000), sampled(window, sampling_rate=16_000)
    assert asked.caption == plain.caption
    several = sample_captions(captioner.checkpoint, [window], num_samples=5)[0]
    assert asked.profile == consensus(several)


@pytest.mark.parametrize("wrong", [-1, 257])
def test_a_number_of_samples_out_of_range_is_refused(captioner, wrong):
    with pytest.raises(InputError):
        Captioner(captioner.checkpoint, num_samples=wrong)
