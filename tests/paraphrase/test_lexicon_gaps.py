"""Unknown words of candidates that miss an emotion are listed, the likeliest gaps of the lexicon first."""

from budew.corpora.clip import Caption, Clip
from budew.paraphrase.lexicon_gaps import find_lexicon_gaps, unknown_words

FINE = {"by": "paraphrase", "backend": "chat"}


def test_words_of_the_lexicon_are_no_gaps():
    assert (
        unknown_words("A furious woman speaks with a great deal of joy and a chuckle in her voice.") == set()
    )


def clip(*refused, captions=(), codes=("lost",)):
    rows = [{"text": text, "codes": list(codes), "missed": list(missed)} for text, missed in refused]
    made = tuple(Caption(text, FINE) for text in captions)
    return Clip("a", b"", "wav", captions=made, metadata={"paraphrase": {"refusals": rows}})


def test_words_in_the_position_of_a_missed_emotion_come_first_and_words_that_pass_last():
    clips = [clip(("She speaks with a deep sense of zorbling.", ["Anger"]))] * 5
    clips += [clip(("A voice of flumph and a sense of frizzle.", ["Fear", "Awe"]))] * 2
    clips += [clip(captions=["A quixotry woman, angry."])] * 3
    clips += [clip(("The blarney of a snorkle.", ["Anger"]), captions=["An angry blarney voice."])] * 4
    found = find_lexicon_gaps(clips)
    assert [row.word for row in found] == ["zorbling", "frizzle", "snorkle", "blarney", "flumph"]
    assert (found[0].missed, found[0].named, found[0].passed) == (5, 5, 0)
    assert found[0].emotions == (("Anger", 5),)
    assert dict(found[1].emotions) == {"Awe": 2, "Fear": 2}
    assert (found[3].named, found[3].share) == (0, 0.5)
    assert found[0].examples == ("She speaks with a deep sense of zorbling.",)


def test_candidates_that_are_no_english_caption_and_malformed_metadata_do_not_count():
    german = ("Ein zorbliges Gefühl.", ["Anger"])
    assert find_lexicon_gaps([clip(german, codes=["lost", "added"])], fewest=1)
    for code in ("not-english", "refusal", "chat", "spoken", "repetition", "broken-text", "empty"):
        assert find_lexicon_gaps([clip(german, codes=["lost", code])], fewest=1) == []
    for account in (3, {"refusals": 3}, {"refusals": [3]}, {"refusals": [{"text": 3, "missed": []}]}):
        assert find_lexicon_gaps([Clip("a", b"", "wav", metadata={"paraphrase": account})], fewest=1) == []
