"""`budew corpus inspect`: what is there is shown and written, what is broken ends with status 1."""

import json


def test_a_folder_is_inspected_and_what_is_broken_is_told(budew, talk, tmp_path):
    outcome = budew("corpus", "inspect", talk, "--json", tmp_path / "i.json", "--html", tmp_path / "i.html")
    assert outcome.status == 1
    assert "2 clips" in outcome.out
    assert "broken: 1" in outcome.out
    assert "c.mp3" in outcome.out or "'c'" in outcome.out
    assert f"page: {(tmp_path / 'i.html').as_uri()}" in outcome.out
    told = json.loads((tmp_path / "i.json").read_text())
    assert (told["broken_items"], told["statistics"]["clips"]) == (1, 2)
    assert (tmp_path / "i.html").read_text().count("<audio") == 2


def test_a_sound_corpus_ends_with_status_0(budew, talk):
    (talk / "c.mp3").unlink()
    outcome = budew("corpus", "inspect", talk, "--decode")
    assert outcome.status == 0
    assert "every sample decoded" in outcome.out
    assert "broken: nothing" in outcome.out


def test_names_are_no_commands_to_the_terminal(budew, talk):
    (talk / "a.json").write_text(json.dumps({"speaker": "\x1b[31mred\x07", "language": "\x9bx"}))
    outcome = budew("corpus", "inspect", talk)
    assert not {"\x1b", "\x07", "\x9b"} & set(outcome.out)
    assert "red" in outcome.out
