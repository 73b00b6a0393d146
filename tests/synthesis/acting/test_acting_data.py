"""The data files of acting: complete, of one mind, and sayable."""

import string

from budew.synthesis.acting.acting_data import challenges, data, languages
from budew.synthesis.tables import cues, table
from budew.taxonomy import EMOTIONS, burst, trait
from budew.taxonomy.scales import LEVEL_NAMES


def test_every_emotion_has_lines_of_its_own_in_every_language():
    assert set(languages()) == {"en", "de", "es", "fr"}
    for language in languages().values():
        assert set(data(f"lines/{language.code}")["lines"]) == set(EMOTIONS)
        assert all(len(lines) >= 4 for lines in language.lines.values())
        every = [line for lines in language.lines.values() for line in lines]
        assert len(every) == len(set(every))


def test_lines_are_short_end_as_sentences_and_hold_no_digits():
    for language in languages().values():
        for line in [*language.neutral, *(line for lines in language.lines.values() for line in lines)]:
            assert 15 < len(line) < 110, line
            assert line[-1] in ".!?", line
            assert not any(letter.isdigit() for letter in line), line


def test_slots_stand_within_a_sentence_and_all_are_used():
    for language in languages().values():
        used = set()
        for line in (line for lines in language.lines.values() for line in lines):
            slots = {name for _, name, _, _ in string.Formatter().parse(line) if name}
            used |= slots
            if "number" in slots or "day" in slots:
                before = line.partition("{number}")[0].partition("{day}")[0].rstrip()
                assert before, line
                assert before[-1] not in ".!?", line
        assert used == set(language.slots)
        assert all(len(words) >= 7 for words in language.slots.values())


def test_espeak_speaks_every_language_with_voices_that_the_synthesizer_knows():
    voices = table("voices")["languages"]
    for code, language in languages().items():
        spoken = [accent.espeak for accent in language.accents if accent.espeak]
        assert spoken
        assert set(spoken) <= set(voices[code])
        assert sum(accent.unmarked for accent in language.accents) <= 1


def test_challenges_have_directions_and_known_cues_and_bursts():
    assert len(challenges()) >= 15
    for challenge in challenges().values():
        assert set(challenge.cues) <= set(cues())
        assert all(name in table("bursts") and burst(name) == name for name in challenge.bursts)
        assert challenge.style is None or trait("style", challenge.style)
        assert challenge.parts
        assert all(0 <= part <= 1.5 for part in challenge.parts)
        assert challenge.direction.endswith(".")
        assert all(-1 <= size <= 1 for size in challenge.cues.values())
        assert len(challenge.parts) > 1 or not challenge.between


def test_instructions_have_a_sentence_for_each_level_and_a_place_for_everything():
    told = data("instructions")
    assert set(told["levels"]) == set(LEVEL_NAMES[1:])
    places = {"language", "accent", "feeling", "level", "challenge", "bounds"}
    for frame in told["frames"]:
        assert {name for _, name, _, _ in string.Formatter().parse(frame) if name} == places
