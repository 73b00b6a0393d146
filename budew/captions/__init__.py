"""The caption language: `render` turns a profile into English, `parse` turns any caption into a profile.

Phrases and sentence frames are data: `caption_templates/en.yaml`. The modules, in the order to read them:

| module | content |
|---|---|
| `render` | a profile → an English caption |
| `content_selection` | which parts of the profile a caption expresses |
| `frames` | a sentence with slots: "{a_speaker} sounds {adjectives}[, with {bursts}]." |
| `slot_filling` | what fills each slot, and what a profile must have for it |
| `word_choice` | which phrase is drawn, above all for emotions with their intensities |
| `vocabulary` | the phrases to draw from, for each of the two wordings |
| `lexicon`, `phrases`, `idioms` | the data file, compiled for rendering and for parsing |
| `parse` | a caption → a profile |
| `tokens`, `items`, `speaker` | of a caption: tokens, phrases with their meanings, whose gender and age |
| `scope`, `scope_state`, `scope_denial`, `scope_people` | which intensity or negation governs which emotion |
| `explain`, `coverage`, `salience`, `lint` | reasons for a parse, unknown words, salient emotions, checks |
| `caption_prompt` | prompts for a captioner: "tags, emotions" |

An emotion has a level (0, 0.25, … 1) in a profile. The words for a level ("very", "a hint of") are its
intensity, in data and code a **degree**; a word without one has a level of its own ("fury": strong).

To add
- a phrase: to `en.yaml` alone, where it may have one meaning; the parser reads the same file;
- a slot: to `slot_filling._SLOTS`; a new need also to `needs_met`, new phrases to both vocabularies;
- a frame: to `frames` in `en.yaml`, with its `plain` text, which never changes once models are trained on it;
- a wording: as a file of additions (`render(additions=)`); a third `Wording` is a change of each place that
  reads `Vocabulary.is_plain`. All of these change which captions a seed gives.
"""

from budew.captions.content_selection import ContentSelection, expressible
from budew.captions.lexicon import Lexicon, load_lexicon
from budew.captions.parse import Mention, ParsedCaption, parse
from budew.captions.render import frame_names, render

__all__ = [
    "ContentSelection",
    "Lexicon",
    "Mention",
    "ParsedCaption",
    "expressible",
    "frame_names",
    "load_lexicon",
    "parse",
    "render",
]
