"""The vocabulary of the project: 40 emotions, 82 vocal bursts, speaker traits and rating scales.

The words are in the YAML files beside the code.
"""

from budew.taxonomy.bursts import BURST_GROUPS, BURSTS, burst, burst_group
from budew.taxonomy.emotions import (
    EMOTION_GROUPS,
    EMOTION_TABLE,
    EMOTIONS,
    Emotion,
    emotion,
    emotion_group,
    find_emotion,
)
from budew.taxonomy.names import normal_form
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
    "burst_group",
    "emotion",
    "emotion_group",
    "find_attribute",
    "find_emotion",
    "normal_form",
    "trait",
]
