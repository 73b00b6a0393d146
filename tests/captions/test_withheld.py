"""Texts that join a minor with sexual content are found in many words, and innocent ones are let through."""

from budew.captions import parse

MINORS = """a child|a teenager|a teenage girl|a teen boy|a little girl|a young boy|a 15-year-old
|a fifteen-year-old girl|a girl of fourteen|a boy of about 12|a schoolgirl|a schoolboy
|an underage girl|a preteen|a tween|an adolescent|a kid|a toddler|a youngster|a pubescent boy
|a child's voice|a high-school student|someone in her early teens"""
SEXUAL = """lustful|seductive|sultry|horny|erotic|sexually aroused|full of sexual desire
|moaning with pleasure|sensual|sexy|sexually suggestive|with bedroom eyes|wolf-whistling
|full of carnal desire|lascivious|orgasmic|moaning erotically"""
INNOCENT = """Sex: female, age: child.|A child whose sex is unclear.|
A young woman, seductive and slow.|A woman makes kissing sounds to her baby.
|A grown man, lustful, with a childlike giggle.|The speech aroused the child's curiosity.
|A teenager, in love and infatuated.|A child blows a kiss, full of affection.
|A young adult, flirtatious, aroused.|A child laughs, delighted.
|A teenage girl gasps with pleasure at the cake.|A child in pain moans quietly.
|A woman of fifty talks lustfully.|A teenager hungry for success.
|A boy with a lust for adventure.|The child's voice is warm and tender.
|A passionate teenage debater.|A child thirsty for knowledge, in high arousal.
|A kid yearning for sweets.|A song in A minor, sultry.|A teenager in Essex or Sussex, bored."""


def listed(texts: str) -> list[str]:
    return [text.strip() for text in texts.replace("\n", "").split("|")]


def withheld(*captions: str) -> list[str]:
    return [caption for caption in captions if parse(caption).is_withheld]


def test_every_word_for_a_minor_is_found():
    joined = [f"The speaker is {minor}, lustful." for minor in listed(MINORS)]
    assert withheld(*joined) == joined
    innocent = [f"The speaker is {minor}, cheerful and a little nervous." for minor in listed(MINORS)]
    assert withheld(*innocent) == []


def test_every_word_for_sexual_content_is_found():
    joined = [f"A teenage girl, {sexual}." for sexual in listed(SEXUAL)]
    assert withheld(*joined) == joined
    assert withheld(*(f"A middle-aged woman, {sexual}." for sexual in listed(SEXUAL))) == []


def test_innocent_and_adult_captions_pass():
    assert withheld(*listed(INNOCENT)) == []
