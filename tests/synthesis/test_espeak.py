import pytest

from budew.errors import InputError
from budew.synthesis.espeak import Espeak, Utterance, _short_path

HELLO = Utterance("<speak>Good morning to all of you</speak>", voice="en-us+m3", seed=5)


def test_an_utterance_does_not_depend_on_earlier_ones(espeak):
    first = espeak.speak(HELLO).tobytes()
    espeak.speak(Utterance("<speak>Etwas ganz anderes</speak>", voice="de+f2", rate=300, pitch=90, seed=9))
    assert espeak.speak(HELLO).tobytes() == first
    with Espeak() as other:
        assert other.speak(HELLO).tobytes() == first


def test_an_unknown_voice_is_an_error_and_the_next_utterance_is_spoken(espeak):
    with pytest.raises(InputError, match="no-such-voice"):
        espeak.speak(Utterance("<speak>Hello</speak>", voice="no-such-voice"))
    assert len(espeak.speak(HELLO)) > 1000


def test_a_long_data_path_is_linked_to_a_short_one(tmp_path):
    deep = tmp_path / ("d" * 120) / "espeak-ng-data"
    deep.mkdir(parents=True)
    (deep / "phontab").write_bytes(b"x")
    short = _short_path(deep)
    assert len(str(short)) < 60
    assert (short / "phontab").read_bytes() == b"x"
