"""Bands of prompt lengths, for prices that change with the length of the prompt."""

from collections.abc import Iterable
from typing import TypedDict


class Band(TypedDict):
    """The prompts that a price holds for, as fields of a quote; two None are all prompts."""

    context_from: int | None
    context_to: int | None


def bands(starts: Iterable[int]) -> dict[int, Band]:
    """By each length of prompts above which a price begins: the band up to the next such length.

    A price that begins at 0 and has none behind it is for all prompts. Raises ValueError for lengths that do not rise.
    """
    lengths = list(starts)
    if lengths != sorted(set(lengths)):
        raise ValueError(f"the bands that begin at {lengths} do not follow each other")
    if lengths == [0]:
        return {0: Band(context_from=None, context_to=None)}
    return {
        start: Band(context_from=start, context_to=end)
        for start, end in zip(lengths, [*lengths[1:], None], strict=False)
    }
