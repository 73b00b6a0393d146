"""Names of files are safe, different in any case, and give the id back."""

from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from budew.corpora.clip import CorpusError, check_id
from budew.corpora.writers.file_names import LONGEST_PART, FileNames


def is_id(text: str) -> bool:
    try:
        check_id(text)
    except CorpusError:
        return False
    return True


alphabet = st.sampled_from("aAbBkK/.%#? äÄßſİıK水-_~:*") | st.characters(codec="utf-8")
ids = st.text(alphabet, min_size=1, max_size=240).filter(is_id) | st.sampled_from(
    ["con", "CON", "nul.txt/aux", "LPT1.x", ".hidden", "a.flac/b", "a", "A", "a/b", "a%2Fb", "水" * 240]
)


@given(st.lists(ids, unique=True, max_size=12), st.booleans())
def test_names_are_safe_reversible_and_differ_in_any_case(some, flat):
    names = FileNames(flat=flat)
    given_names = [names.name(id) for id in some]
    assert [unquote(name.replace("%/", "")) for name in given_names] == some
    assert len({name.lower() for name in given_names}) == len(some)
    for name in given_names:
        assert name.isascii()
        for part in name.split("/"):
            assert 0 < len(part) <= LONGEST_PART + 1  # for the %
            assert not part.startswith(".")
            assert set(part) <= set("%-_.~") | {letter for letter in part if letter.isalnum()}
            assert part.lower().partition(".")[0] not in ("con", "nul", "aux", "prn", "lpt1", "com1")


@given(st.lists(ids, unique=True, max_size=12))
def test_no_folder_has_the_name_of_a_file(some):
    names = FileNames()
    files = [f"{names.name(id)}.flac".lower() for id in some]
    folders = {"/".join(name.split("/")[:depth]) for name in files for depth in range(1, name.count("/") + 1)}
    assert folders.isdisjoint(files)


def test_usual_ids_are_their_own_names():
    names = FileNames()
    usual = ["EN_B00001_S07949_W000050", "anna/01", "en_0.5_x", "LJ001-0001"]
    assert [names.name(id) for id in usual] == usual


def test_flat_names_have_no_folders():
    assert FileNames(flat=True).name("anna/01") == "anna%2F01"
