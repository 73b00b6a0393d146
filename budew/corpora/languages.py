"""Languages as data sets write them (`english`, `eng`, `pt_BR`) → BCP 47 tags (`en`, `pt-BR`)."""

import re
from collections.abc import Mapping
from functools import cache

from budew.resources import packaged_table

LONGEST_NAME = 40
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|[0-9]{3}))?", re.IGNORECASE)


@cache
def language_names() -> Mapping[str, str]:
    """Return every known name and code of a language, case-folded → its BCP 47 subtag (`languages.yaml`)."""
    table = packaged_table(__package__, "languages")
    return {name.casefold(): tag for tag, names in table.items() for name in (tag, *names)}


def language_tag(written: str) -> str | None:
    """Return the BCP 47 tag of a language that is written as a name, a code or a locale; None if unknown.

    Script and region are kept, in their usual case: `zh_hant_tw` becomes `zh-Hant-TW`.
    """
    text = " ".join(written[: LONGEST_NAME + 1].split())
    if len(text) > LONGEST_NAME:
        return None
    whole = language_names().get(text.casefold().replace("_", " "))
    parts = None if whole else _TAG.fullmatch(text)
    if parts is None:
        return whole
    language, script, region = parts.groups()
    known = language_names().get(language.casefold())
    if known is None:
        return None
    return "-".join(filter(None, (known, script and script.title(), region and region.upper())))
