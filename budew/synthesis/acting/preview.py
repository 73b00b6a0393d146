"""A plan before anything is spoken: counts of each axis, the first clips, characters, cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from budew.synthesis.acting.acting_plan import ActingPlan, Item
from budew.taxonomy.scales import level_name

if TYPE_CHECKING:
    from rich.table import Table

FIRST = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """Counts of a plan.

    Attributes:
        clips: how many, which is how many requests they take where none fails.
        characters: of the lines.
        instruction_characters: of the instructions.
        counts: axis to level to clips.
        first: the first items.
    """

    clips: int
    characters: int
    instruction_characters: int
    counts: Mapping[str, Mapping[str, int]]
    first: tuple[Item, ...]

    def cost(self, price: float) -> float:
        """Return what the lines cost at a price for a million characters."""
        return self.characters * price / 1e6


def preview(plan: ActingPlan, clips: int) -> Preview:
    """Go through the first `clips` clips of a plan; 150 µs each."""
    counts = {axis: dict.fromkeys(levels, 0) for axis, levels in _axes(plan).items()}
    characters = instructions = 0
    for number in range(clips):
        item = plan.item(number)
        characters += len(item.text)
        instructions += len(item.instructions)
        for axis, level in zip(counts, _levels(item), strict=True):
            counts[axis][level] += 1
    first = tuple(map(plan.item, range(min(FIRST, clips))))
    return Preview(clips, characters, instructions, counts, first)


def preview_tables(found: Preview) -> "Table":
    """Return the counts and the first clips as tables for the terminal, one under the other."""
    from rich.table import Table  # 50 ms, and only a table needs it

    whole = Table.grid(padding=(1, 0))
    counts = Table("axis", "levels", "clips each", "", box=None, header_style="bold")
    for axis, levels in found.counts.items():
        least, most = min(levels.values()), max(levels.values())
        each = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        counts.add_row(
            axis, f"{len(levels):,}", each, ", ".join(f"{name} {n:,}" for name, n in levels.items())
        )
    first = Table("clip", "voice", "what", "line", box=None, header_style="bold")
    for item in found.first:
        what = (
            f"{item.emotion}, {level_name(item.intensity)}; {item.language}, {item.accent}; {item.challenge}"
        )
        first.add_row(item.id, item.voice, what, item.text)
    whole.add_row(counts)
    whole.add_row(first)
    return whole


def _axes(plan: ActingPlan) -> dict[str, tuple[str, ...]]:
    accents = tuple(f"{language} {accent}" for language, all in plan.accents.items() for accent in all)
    return {
        "emotion": plan.emotions,
        "intensity": tuple(map(level_name, plan.intensities)),
        "voice": plan.voices,
        "language": tuple(plan.accents),
        "accent": accents,
        "challenge": plan.challenges,
        "text": plan.texts,
    }


def _levels(item: Item) -> tuple[str, ...]:
    """Return the levels of an item, in the order of `_axes`."""
    accent = f"{item.language} {item.accent}"
    level = level_name(item.intensity)
    return item.emotion, level, item.voice, item.language, accent, item.challenge, item.kind
