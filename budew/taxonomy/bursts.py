"""The 82 vocal bursts in 16 groups: sounds of the voice and body that are not speech."""

from collections.abc import Mapping
from types import MappingProxyType

from budew.taxonomy.names import NameIndex, read_table

BURST_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {group: tuple(names) for group, names in read_table("bursts")["groups"].items()}
)
"""Group to its bursts, both in the published order."""

BURSTS: tuple[str, ...] = tuple(name for names in BURST_GROUPS.values() for name in names)
"""The 82 canonical names in the published order."""

_INDEX = NameIndex.build("vocal burst", dict.fromkeys(BURSTS, ()))
_GROUP_OF = {name: group for group, names in BURST_GROUPS.items() for name in names}


def burst(name: str) -> str:
    """Return the canonical name of a vocal burst written in any way.

    Raises:
        InputError: there is no such burst; lists the nearest.
    """
    return _INDEX.resolve(name)


def burst_group(name: str) -> str:
    """Return the group of a vocal burst, a key of `BURST_GROUPS`."""
    return _GROUP_OF[burst(name)]
