"""Words that nobody reads are found where emotions were missed, the likeliest first."""

from budew.corpora.clip import Caption, Clip
from budew.paraphrase.harvest import harvest, unread

FINE = {"by": "paraphrase", "backend": "chat"}


def test_what_the_lexicon_or_the_grammar_has_is_not_harvested():
    assert unread("A furious woman speaks with a great deal of joy and a chuckle in her voice.") == set()


def clip(*refused, captions=(), codes=("lost",)):
    rows = [{"text": text, "codes": list(codes), "missed": list(missed)} for text, missed in refused]
    made = tuple(Caption(text, FINE) for text in captions)
    return Clip("a", b"", "wav", captions=made, metadata={"paraphrase": {"refusals": rows}})


def test_words_that_stand_where_an_emotion_was_missed_are_ranked_by_how_often_and_how_seldom_they_pass():
    clips = [clip(("She speaks with a deep sense of zorbling.", ["Anger"]))] * 5
    clips += [clip(("A voice of flumph and a sense of frizzle.", ["Fear", "Awe"]))] * 2
    clips += [clip(captions=["A quixotry woman, angry."])] * 3
    clips += [clip(("The blarney of a snorkle.", ["Anger"]), captions=["An angry blarney voice."])] * 4
    found = harvest(clips)
    assert [row.word for row in found] == ["zorbling", "frizzle", "snorkle", "blarney", "flumph"]
    assert (found[0].missed, found[0].named, found[0].passed) == (5, 5, 0)
    assert found[0].emotions == (("Anger", 5),)
    assert dict(found[1].emotions) == {"Awe": 2, "Fear": 2}
    assert (found[3].named, found[3].share) == (0, 0.5)
    assert found[0].examples == ("She speaks with a deep sense of zorbling.",)


def test_what_is_no_caption_in_english_and_metadata_that_is_not_ours_do_not_count():
    german = ("Ein zorbliges Gefühl.", ["Anger"])
    assert harvest([clip(german, codes=["lost", "added"])], fewest=1)
    for code in ("not-english", "refusal", "chat", "spoken", "repetition", "broken-text", "empty"):
        assert harvest([clip(german, codes=["lost", code])], fewest=1) == []
    for account in (3, {"refusals": 3}, {"refusals": [3]}, {"refusals": [{"text": 3, "missed": []}]}):
        assert harvest([Clip("a", b"", "wav", metadata={"paraphrase": account})], fewest=1) == []
