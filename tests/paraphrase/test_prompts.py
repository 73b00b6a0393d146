"""Prompts are data: complete, versioned, and drawn by request."""

from collections import Counter

from budew.paraphrase import Request
from budew.paraphrase.prompts import load_prompts
from budew.profile import VoiceProfile


def request(number):
    return Request(f"clip-{number}", "A caption with {braces} in it.", VoiceProfile(), 7, 1)


def test_a_message_holds_the_caption_as_it_stands_and_a_style():
    prompts = load_prompts()
    content = prompts.messages(request(1))[1]["content"]
    assert "A caption with {braces} in it." in content
    assert prompts.styles[prompts.style_of(request(1))] in content
    assert prompts.version >= 1


def test_styles_are_drawn_evenly_and_reproducibly():
    prompts = load_prompts()
    drawn = [prompts.style_of(request(number)) for number in range(600)]
    assert drawn == [prompts.style_of(request(number)) for number in range(600)]
    assert set(Counter(drawn)) == set(prompts.styles)
    assert min(Counter(drawn).values()) > 60


def test_longer_captions_may_have_longer_answers():
    prompts = load_prompts()
    long = Request("a", "word " * 200, VoiceProfile(), 1, 1)
    assert prompts.answer_tokens(long) > prompts.answer_tokens(request(1)) > 40
