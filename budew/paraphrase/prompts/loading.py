"""The prompts of `paraphrase/prompts.yaml`, or of a file like it: read and checked with its examples."""

import warnings
from dataclasses import fields
from functools import cache
from pathlib import Path

from budew.captions.grammar import STYLES as SOURCE_STYLES
from budew.captions.lint.rules import load_rules
from budew.paraphrase.prompts.few_shots import FewShots, read_examples
from budew.paraphrase.prompts.messages import LONGEST_BANNED, MOST_BANNED, REASONS, Prompts, Retry, Style
from budew.paraphrase.prompts.must_say import Listing
from budew.prompt_file import PromptError, Section, read_prompt_file
from budew.resources import data_folder
from budew.taxonomy import LEVEL_NAMES

__all__ = ["PromptError", "Prompts", "Retry", "Style", "load_prompts"]

_LIKE = "paraphrase/prompts.yaml"
_KEYS = (
    "name", "version", "examples", "sampling", "answer_tokens", "words", "system", "answer", "banned",
    "levels", "styles", "request", "text", "examples_of_style", "example", "example_of_another_style", "keep",
    "refused", "reasons",
)  # fmt: skip
_PLACES_OF_KEEP = {"emotion": ("level", "name", "words"), "silent": ()}


def load_prompts(path: str | Path | None = None, *, ban: str | Path | None = None) -> Prompts:
    """Return the prompts in a file, those of this installation when None.

    Args:
        path: a file such as `paraphrase/prompts.yaml`, with its examples beside it.
        ban: a file of phrases that shall not be used, `phrases: [...]`, as `budew paraphrase report --ban`
            writes it; its first 60 count, with a warning where there are more.

    Raises:
        PromptError: a file cannot be read, or a key is missing, unknown or wrong; names file and key.
    """
    prompts = _shipped() if path is None else _prompts(Path(path))
    return prompts if ban is None else prompts.banning(_ban_list(Path(ban)))


def _ban_list(file: Path) -> tuple[str, ...]:
    table = read_prompt_file(file, what="list of phrases", like="what budew paraphrase report --ban writes")
    section = Section(file, "", table).only(("phrases",))
    phrases = section.texts("phrases") if table.get("phrases") != [] else ()
    long = next((phrase for phrase in phrases if len(phrase) > LONGEST_BANNED), None)
    if long is not None:
        raise section.error("phrases", f"must have at most {LONGEST_BANNED} characters, not {long[:60]!r}")
    if len(phrases) > MOST_BANNED:
        warnings.warn(
            f"{file}: a model is told the first {MOST_BANNED} of {len(phrases)} phrases", stacklevel=3
        )
    return phrases[:MOST_BANNED]


@cache
def _shipped() -> Prompts:
    return _prompts(data_folder("paraphrase") / "prompts.yaml")


def _prompts(file: Path) -> Prompts:
    table = read_prompt_file(file, what="prompt for rewriting", like=_LIKE)
    top = Section(file, "", table).only(_KEYS)
    styles = _styles(top.section("styles"))
    tokens = top.section("answer_tokens").only(("fixed", "for_each"))
    answer = top.section("answer").only(("structured", "plain"))
    temperature, top_p = _sampling(top)
    return Prompts(
        name=top.text("name") if "name" in top else file.stem,
        version=top.whole("version", 1, 10**9),
        temperature=temperature,
        top_p=top_p,
        tokens=tokens.whole("fixed", 1, 10**6),
        tokens_for_each=tokens.whole("for_each", 0, 10**4),
        system=top.text("system", needs=("levels", "answer"), may=("banned",)),
        structured=answer.text("structured"),
        plain=answer.text("plain"),
        levels=_levels(top.section("levels")),
        ban=top.text("banned", needs=("phrases",)),
        banned=(),
        all_styles=styles,
        request=top.text("request", needs=("style", "keep", "caption", "refused"), may=("examples",)),
        one_text=top.text("text", needs=("keep", "caption"), may=("style", "refused")),
        listing=_listing(top),
        examples_of_style=top.text("examples_of_style", needs=("examples",)),
        example=top.text("example", needs=("caption", "rewritten"), may=("style",)),
        example_of_another_style=top.text(
            "example_of_another_style", needs=("caption", "rewritten"), may=("style",)
        ),
        few_shots=_few_shots(top, styles),
        retry=_retry(top.section("refused")),
        sentences=_sentences(top.section("reasons")),
    )


def _sampling(top: Section) -> tuple[float, float]:
    if "sampling" not in top:
        return 1.0, 1.0
    sampling = top.section("sampling").only(("temperature", "top_p"))
    return sampling.number("temperature", 0, 2), sampling.number("top_p", 0.01, 1)


def _levels(section: Section) -> tuple[tuple[str, tuple[str, ...]], ...]:
    section.only(LEVEL_NAMES[1:])
    return tuple((level, section.texts(level)) for level in LEVEL_NAMES[1:])


def _styles(section: Section) -> tuple[Style, ...]:
    if not section.table:
        raise section.error("", "must have a style in it")
    return tuple(_style(name, section.section(name)) for name in section)


def _style(name: str, section: Section) -> Style:
    section.only(("instruction", "length", "source_style", "weight"))
    source = section.table.get("source_style")
    if source is not None and source not in SOURCE_STYLES:
        raise section.error("source_style", f"must be one of {', '.join(SOURCE_STYLES)}")
    return Style(
        name,
        section.text("instruction"),
        section.text("length") if "length" in section else "",
        source,
        section.number("weight", 0.01, 100) if "weight" in section else 1.0,
    )


def _listing(top: Section) -> Listing:
    names = tuple(field.name for field in fields(Listing) if field.name != "words")
    keep = top.section("keep").only(names)
    texts = {name: keep.text(name, needs=_PLACES_OF_KEEP.get(name, ("words",))) for name in names}
    return Listing(top.whole("words", 0, 10), **texts)


def _few_shots(top: Section, styles: tuple[Style, ...]) -> FewShots:
    if "examples" not in top:
        return FewShots()
    section = top.section("examples").only(("file", "count"))
    name = section.text("file")
    if Path(name).name != name:
        raise section.error("file", "must be the name of a file beside this one")
    file = top.file.with_name(name)
    if not file.exists():
        raise PromptError(
            f"{top.file}: examples.file asks for {name} beside it, which is not there: "
            "copy it there, or leave the line of examples out"
        )
    table = read_prompt_file(file, what="list of examples", like="paraphrase/examples.yaml")
    found = read_examples(Section(file, "", table), [style.name for style in styles])
    return FewShots(section.whole("count", 0, 50), found.examples, found.confusable)


def _retry(section: Section) -> Retry:
    section.only(("shown", "text"))
    return Retry(section.whole("shown", 1, 10), section.text("text", needs=("text", "reasons")))


def _sentences(section: Section) -> tuple[tuple[str, str], ...]:
    section.only((*REASONS, *load_rules().severity))
    return tuple((code, section.text(code, may=("what",))) for code in dict.fromkeys((*REASONS, *section)))
