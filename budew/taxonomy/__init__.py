"""The taxonomy: 40 emotions, 82 vocal bursts, speaker traits and rating scales.

The words are in the YAML files beside the code.
"""

from budew.taxonomy.scales import LEVEL_NAMES, LEVELS
from budew.taxonomy.traits import (
    ACCENTS,
    ATTRIBUTES,
    CATEGORIES,
    TRAITS,
    WORD_TRAITS,
    Attribute,
    find_attribute,
    trait,
)
from budew.taxonomy.vocabulary import (
    BURST_GROUPS,
    BURSTS,
    EMOTION_GROUPS,
    EMOTION_TABLE,
    EMOTIONS,
    Emotion,
    burst,
    emotion,
    emotion_group,
    find_emotion,
)

__all__ = [
    "ACCENTS",
    "ATTRIBUTES",
    "BURSTS",
    "BURST_GROUPS",
    "CATEGORIES",
    "EMOTIONS",
    "EMOTION_GROUPS",
    "EMOTION_TABLE",
    "LEVELS",
    "LEVEL_NAMES",
    "TRAITS",
    "WORD_TRAITS",
    "Attribute",
    "Emotion",
    "burst",
    "emotion",
    "emotion_group",
    "find_attribute",
    "find_emotion",
    "trait",
]
