"""The data files of acting: complete, of one mind, and sayable."""

import string

from budew.captions import parse
from budew.synthesis.acting.acting_data import NONE, challenges, languages, personas
from budew.synthesis.clip_plan import cues, synthesis_table
from budew.taxonomy import EMOTIONS, burst, trait
from budew.taxonomy.rating_scales import LEVEL_NAMES


def test_lines_are_short_sentences_without_digits_and_all_slots_are_used():
    assert set(languages()) == {"en", "de", "es", "fr"}
    for language in languages().values():
        assert set(synthesis_table(f"acting/lines/{language.code}")["lines"]) == set(EMOTIONS)
        assert all(len(lines) >= 4 for lines in language.lines.values())
        own, used = [line for lines in language.lines.values() for line in lines], set()
        assert len(own) == len(set(own))
        for line in [*language.neutral, *own]:
            assert 15 < len(line) < 110, line
            assert line[-1] in ".!?", line
            assert not any(letter.isdigit() for letter in line), line
            slots = {name for _, name, _, _ in string.Formatter().parse(line) if name}
            used |= slots
            before = line.partition("{number}")[0].partition("{day}")[0].rstrip()
            assert not slots & {"number", "day"} or (before and before[-1] not in ".!?"), line
        assert used == set(language.slots)
        assert all(len(words) >= 7 for words in language.slots.values())


def test_espeak_speaks_every_language_with_voices_that_the_synthesizer_knows():
    voices = synthesis_table("voices")["languages"]
    for code, language in languages().items():
        spoken = [voice for voice in language.accents.values() if voice]
        assert spoken
        assert set(spoken) <= set(voices[code])


def test_every_accent_is_in_the_taxonomy():
    talent = "Louisiana, Valley Girl, British, Chinese, French, German, Indian, Italian, Mexican, Russian, "
    talent += "Spanish, Texan, Vulgar Street"  # of LAION's Got Talent
    assert list(languages()["en"].accents)[:14] == [NONE, *talent.split(", ")]
    for language in languages().values():
        first, *marked = language.accents
        assert first == NONE
        for name in marked:
            said = f"An old man with a {name} accent sounds very angry."
            assert parse(said).profile.traits == {"age": "elderly", "accent": name, "gender": "male"}


def test_challenges_have_directions_and_known_cues_and_bursts():
    assert len(challenges()) >= 15
    for challenge in challenges().values():
        assert set(challenge.cues) <= set(cues())
        assert all(name in synthesis_table("bursts") and burst(name) == name for name in challenge.bursts)
        assert challenge.style is None or trait("style", challenge.style)
        assert challenge.parts
        assert all(0 <= part <= 1.5 for part in challenge.parts)
        assert challenge.direction.endswith(".")
        assert all(-1 <= size <= 1 for size in challenge.cues.values())
        assert len(challenge.parts) > 1 or not challenge.between


def test_instructions_have_a_sentence_for_each_level_and_a_place_for_everything():
    wording = synthesis_table("acting/instructions")
    assert set(wording["levels"]) == set(LEVEL_NAMES[1:])
    places = {"language", "accent", "feeling", "level", "challenge", "bounds"}
    for kind, own in (("line", set()), ("audition", {"rhythm", "sounds"})):
        assert places_in(wording[kind]["bounds"]) == own
        assert all(places_in(frame) == places for frame in wording[kind]["frames"])


def places_in(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_personas_have_short_names_without_commas_and_a_scene_each():
    table = synthesis_table("acting/personas")["personas"]
    assert len(table) > 30
    assert [name for name, scene in table.items() if not scene] == [NONE]
    assert len(set(personas().values())) == len(table)
    for name, direction in personas().items():
        assert "," not in name
        assert name == NONE or (table[name] in direction and direction.endswith("."))
        asked = parse(direction).profile
        assert asked.traits.get("age", "adult") in ("young adult", "adult", "elderly"), direction
        assert not asked.emotions or name in ("caring nurse", "grumpy grandpa"), direction  # that of the plan
