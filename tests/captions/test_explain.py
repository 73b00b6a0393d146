"""An explanation names the words to which a phrase owes its level and role, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from budew.captions import parse
from budew.captions.explain import explain
from budew.captions.parse import ANOTHER_PERSON
from tests.growth import is_linear


def reasons(text: str) -> list[tuple[str, tuple[str, ...]]]:
    found = explain(text).reasons
    return [(text[start:end], found[start, end]) for start, end in sorted(found)]


def test_the_reason_is_the_word_without_which_the_level_would_differ():
    assert reasons("She is a little sad, not angry, and no longer afraid.") == [
        ("sad", ("little",)),
        ("angry", ("not",)),
        ("afraid", ("no longer",)),
    ]
    assert reasons("From irritation to relief.") == [("irritation", ("From", "to"))]
    assert reasons("He was angry; he is now calm.") == [("angry", ("now",))]


def test_two_words_that_each_suffice_are_both_reasons():
    assert reasons("Very, very sad.") == [("sad", ("Very", "very"))]


def test_a_phrase_that_nothing_governs_has_no_reason():
    assert reasons("A proud woman, laughing softly, in a warm voice.") == []


def test_phrases_that_do_not_count_have_the_rule_that_drops_them():
    text = "Sadly, the voice is calm, slow and clear. She is desperately sad."
    dropped = {text[start:end]: rule for (start, end), rule in explain(text).dropped.items()}
    assert dropped.keys() == {"Sadly", "calm", "desperately"}
    assert len(set(dropped.values())) == 3


WORDS = (
    "sad", "angry", "not", "very", "no longer", "from", "to", "if", "perhaps", ",", ".", "and", "voice",
    "she",
)  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), unique=True))
def test_everything_absent_has_a_reason_and_only_mentions_have(words):
    text = " ".join(words)
    spans = {(mention.start, mention.end): mention for mention in parse(text).mentions}
    found = explain(text).reasons
    assert found.keys() <= spans.keys()
    assert {
        span for span, mention in spans.items() if not mention.level and mention.role != ANOTHER_PERSON
    } <= found.keys()


def test_the_cost_is_linear_in_the_length():
    assert is_linear(lambda copies: explain("She is very sad and not angry at all, " * copies), 50)
