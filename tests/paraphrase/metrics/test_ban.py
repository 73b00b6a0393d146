"""The ban list is YAML that anybody reads back, and names a formula once."""

import yaml

from budew.captions.lint.corpus import Overused
from budew.paraphrase.metrics.ban import banned_phrases, write_ban


def test_the_file_holds_the_phrases_the_most_frequent_first(tmp_path) -> None:
    phrases = [
        Overused("conveys a sense of", 90),
        Overused("yes no on off", 50),
        Overused("été ça va bien", 40),
    ]
    path = tmp_path / "new" / "ban.yaml"
    written = write_ban(phrases, path)
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == {"phrases": list(written)}
    assert written == tuple(found.phrase for found in phrases)


def test_a_formula_that_is_over_used_as_several_phrases_is_banned_once() -> None:
    formula = ["the", "voice", "of", "someone", "who", "has", "given", "up"]
    runs = [" ".join(formula[at : at + 4]) for at in range(len(formula) - 3)]
    banned = banned_phrases([Overused(run, 90 - at) for at, run in enumerate(runs)])
    assert banned[0] == runs[0]
    assert len(banned) == 3  # of eight words, one phrase in two
    assert banned_phrases([]) == ()
