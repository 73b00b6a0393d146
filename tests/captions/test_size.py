"""The published figures are those of what can be rendered and read."""

from budew.captions import load_lexicon, render
from budew.captions.size import language_size
from budew.profile import VoiceProfile


def test_the_figures_count_what_is_rendered():
    lexicon, size = load_lexicon(), language_size()
    frame = "short_words"
    heads = {
        render(VoiceProfile({"Sourness": level}), seed=seed, frame=frame).split(":")[0].lower()
        for level in (0.25, 0.5, 0.75, 1.0)
        for seed in range(1500)
    }
    adjectives = {
        phrase
        for (name, _), words in lexicon.book["adjective"].items()
        if name == "Sourness"
        for phrase in (*words.before, *words.after, *words.bare)
    }
    assert heads == adjectives
    assert len(adjectives) < size.said["Sourness"]
    assert size.frames == len(lexicon.frames)


def test_the_language_is_not_small():
    size = language_size()
    assert size.frames >= 20
    assert size.sentences >= 1_000
    assert min(size.said.values()) >= 100
    assert min(size.read.values()) >= 20
