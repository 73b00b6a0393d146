"""The caption language: `render` turns a profile into English, `parse` turns any caption into a profile.

Phrases and sentence frames are data: `caption_templates/en.yaml`. The modules, in the order to read them:

| module | content |
|---|---|
| `render` | a profile → an English caption |
| `content_selection` | which parts of the profile a caption expresses |
| `frames` | a sentence with slots: "{a_speaker} sounds {adjectives}[, with {bursts}]." |
| `slot_filling` | the text for each slot, and what a profile must have so that the slot can be filled |
| `word_choice` | which synonym expresses each part, above all emotions with their intensities |
| `vocabulary` | the phrases to draw from, for each of the two wordings |
| `lexicon`, `phrases`, `idioms` | the data file, compiled for rendering and for parsing |
| `parse` | a caption → a profile |
| `tokens`, `items` | words and punctuation marks of a text; phrases with their meanings |
| `speaker` | which genders and ages in a caption are those of the speaker |
| `scope`, `scope_state`, `scope_denial`, `scope_people` | which intensity or negation governs which emotion |
| `explain`, `coverage`, `salience`, `lint` | reasons for a parse, unknown words, salient emotions, checks |
| `caption_prompt` | prompts for a captioner: "tags, emotions" |

An emotion has a level (0, 0.25, … 1) in a profile. The words for a level ("very", "a hint of") are called a
**degree** here; they are in the section `intensity` of the data file. A word without one has a level of its
own ("fury": strong).

To add
- a phrase: edit `en.yaml` only; a phrase has one meaning, and the parser reads the same file;
- a degree: append it to a form of its level in `intensity`, after the first, which the plain wording uses. If
  it is in `also` (only parsed), move it. Strong nouns are lists of each emotion instead (`noun_strong`);
- a form of emotions: a row of `forms`; its slots and needs follow from it;
- a slot: edit `slot_filling._SLOTS`; a new need also `needs_met`, new phrases also both vocabularies;
- a frame: edit `frames` in `en.yaml`, with a `plain` text, which never changes once models are trained on it.
  If it adds more words than `budget` says, raise that;
- a wording: write a file of additions (`render(additions=)`); a third `Wording` needs a change wherever
  `Vocabulary.is_plain` is read. Each of these additions changes which captions a seed gives.
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
