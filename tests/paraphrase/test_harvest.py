"""Words that nobody reads are found where emotions were missed, the likeliest first."""

import pytest

from budew.corpora.clip import Caption, Clip
from budew.paraphrase.harvest import harvest, unread

FINE = {"by": "paraphrase", "backend": "chat"}


def clip(number, *refused, captions=()):
    rows = [
        {"text": text, "codes": ["lost"], "missed": list(missed), "unknown": []} for text, missed in refused
    ]
    made = tuple(Caption(text, FINE) for text in captions)
    return Clip(f"c{number}", b"", "wav", captions=made, metadata={"paraphrase": {"refusals": rows}})


def test_words_that_stand_where_an_emotion_was_missed_are_ranked_by_how_often():
    clips = [clip(number, ("She speaks with a deep sense of zorbling.", ["Anger"])) for number in range(5)]
    clips += [clip(9, ("A voice of flumph and a sense of frizzle.", ["Fear", "Awe"])) for _ in range(2)]
    clips += [clip(20 + n, captions=["A quixotry woman, angry."]) for n in range(3)]
    found = harvest(clips)
    assert [row.word for row in found] == ["zorbling", "frizzle", "flumph"]
    assert (found[0].missed, found[0].named, found[0].passed) == (5, 5, 0)
    assert found[0].emotions == (("Anger", 5),)
    assert found[1].emotions == (("Awe", 2), ("Fear", 2)) or found[1].emotions == (("Fear", 2), ("Awe", 2))
    assert found[2].named == 0
    assert found[0].examples == ("She speaks with a deep sense of zorbling.",)


def test_words_that_stand_in_captions_that_pass_rank_lower():
    missed = ("The blarney of a snorkle.", ["Anger"])
    clips = [clip(number, missed, captions=["An angry blarney voice."]) for number in range(4)]
    found = harvest(clips)
    assert [row.word for row in found] == ["snorkle", "blarney"]
    assert found[1].share == 0.5


def test_what_the_lexicon_or_the_grammar_has_is_not_harvested():
    assert unread("A furious woman speaks with a great deal of joy and a chuckle in her voice.") == set()


@pytest.mark.parametrize(
    "code", ["not-english", "refusal", "chat", "spoken", "repetition", "broken-text", "empty"]
)
def test_what_is_no_caption_in_english_at_all_does_not_count(code):
    def rows(*codes):
        return [{"text": "Ein zorbliges Gefühl.", "codes": list(codes), "missed": ["Anger"], "unknown": []}]

    def found(*codes):
        metadata = {"paraphrase": {"refusals": rows(*codes)}}
        return harvest([Clip("a", b"", "wav", metadata=metadata)], fewest=1)

    assert [row.word for row in found("lost", "added")] != []
    assert found("lost", code) == []


def test_metadata_that_is_not_ours_is_passed_over():
    for account in (
        3,
        {"refusals": 3},
        {"refusals": [3]},
        {"refusals": [{"text": 3, "missed": []}]},
        {"refusals": [{"text": "A", "missed": ["Fear"], "codes": [[]]}]},
    ):
        assert harvest([Clip("a", b"", "wav", metadata={"paraphrase": account})], fewest=1) == []
