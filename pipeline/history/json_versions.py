"""Versions of one JSON file, one after the other: only the text that the version before did not have is parsed.

A price map grows to megabytes, and a commit changes a few of its entries.
"""

import json
import re
from decimal import Decimal
from itertools import chain
from typing import Any

# How the first member is set apart is taken for how all are.
_FIRST = re.compile(rb'\{(\r?\n[ \t]*)"')


class JsonVersions:
    """Reads each version as `json.loads` does, floats as exact decimals; text that stays gives the object of before.

    The text is cut wherever an object ends and a line begins as the first member's does. That these are the gaps
    between the members of the whole is a guess, and parsing proves it: if every piece is an object by itself, the whole
    is the object of all their members. If one is not, the text is parsed as it stands. Kept are the pieces of the last
    version only.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[tuple[str, Any], ...]] = {}

    def read(self, body: bytes) -> Any:
        """The next version, whose members are not to be changed: other versions share them.

        Raises ValueError for what is no JSON.
        """
        first = _FIRST.match(body)
        start, *rest = body.split(b"}," + first[1] + b'"') if first else [body]
        if not rest:
            return _parsed(body)
        try:
            return self._joined(start, rest[:-1], rest[-1])
        except ValueError:
            # Laid out differently, or broken: then the error is to name its place in the whole.
            return _parsed(body)

    def _joined(self, start: bytes, middle: list[bytes], end: bytes) -> dict[str, Any]:
        known = {piece: self._known.get(piece) or tuple(_parsed(b'{"' + piece + b"}}").items()) for piece in middle}
        members = chain.from_iterable(map(known.__getitem__, middle))
        document = dict(chain(_parsed(start + b"}}").items(), members, _parsed(b'{"' + end).items()))
        self._known = known
        return document


def _parsed(text: bytes) -> Any:
    return json.loads(text, parse_float=Decimal)
