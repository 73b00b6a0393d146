"""However a data set writes a language, it becomes the same BCP 47 tag, and what is none stays unknown."""

from budew.corpora.column_names import language_names, language_tag

TAGS = {
    "English": "en",
    "eng": "en",
    "EN": "en",
    "en-us": "en-US",
    "pt_BR": "pt-BR",
    "zh_hant_tw": "zh-Hant-TW",
    "es-419": "es-419",
    "haitian_creole": "ht",
    "  Mandarin  Chinese ": "zh",
    "日本語": "ja",
    **dict.fromkeys(("", "Klingon", "the", "xx-YY", "en-US-x", "e", "en" * 1000, "train"), None),
    **{tag: tag for tag in language_names().values()},
}


def test_names_codes_and_locales_become_tags():
    assert {written: language_tag(written) for written in TAGS} == TAGS
