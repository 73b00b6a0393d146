import numpy as np
import pytest

from budew.inference import Captioner
from budew.inference.listeners import GumbelNoise, ListenersError, agreed, sample_captions
from budew.model.generate import write_captions


def test_a_panel_says_the_same_again_whatever_else_is_in_the_batch(captioner, make_sound):
    windows = [make_sound(seed, 1.0) for seed in range(3)]
    together = sample_captions(captioner.checkpoint, windows, listeners=4)
    alone = [sample_captions(captioner.checkpoint, [window], listeners=4)[0] for window in windows]
    assert together == alone
    assert [len(panel) for panel in together] == [4, 4, 4]


def test_listeners_differ_and_so_do_panels(captioner, make_sound):
    window = make_sound(1, 1.5)
    (first,) = sample_captions(captioner.checkpoint, [window], listeners=6)
    (second,) = sample_captions(captioner.checkpoint, [window], listeners=6, seed=1)
    assert len(set(first)) > 1
    assert first != second
    assert sample_captions(captioner.checkpoint, [window], listeners=3)[0] == first[:3]


def test_noise_draws_tokens_as_often_as_the_model_weighs_them():
    import torch

    shares = torch.tensor([0.6, 0.3, 0.1])
    noise = GumbelNoise(range(4000))
    drawn = noise(torch.zeros(4000, 1, dtype=torch.long), shares.log().expand(4000, 3)).argmax(dim=1)
    counts = np.bincount(drawn.numpy(), minlength=3) / 4000
    assert counts == pytest.approx(shares.numpy(), abs=0.03)


def test_a_panel_agrees_on_means_and_on_what_most_hear():
    profile = agreed(
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


def test_scores_of_a_captioner_come_from_its_panel_and_the_caption_does_not(captioner, make_sound):
    panelled = Captioner(captioner.checkpoint, listeners=5)
    window = make_sound(4, 1.0)
    plain, asked = captioner(window, sampling_rate=16_000), panelled(window, sampling_rate=16_000)
    assert asked.caption == plain.caption
    panel = sample_captions(captioner.checkpoint, [window], listeners=5)[0]
    assert asked.profile == agreed(panel)


@pytest.mark.parametrize("wrong", [-1, 1000, True])
def test_panels_that_cannot_be_asked_are_refused(captioner, wrong):
    with pytest.raises(ListenersError):
        Captioner(captioner.checkpoint, listeners=wrong)


def test_no_listeners_no_cost(captioner, make_sound):
    assert sample_captions(captioner.checkpoint, [make_sound(1, 1.0)], listeners=0) == [()]
    assert len(write_captions(captioner.checkpoint, [make_sound(1, 1.0)])) == 1
