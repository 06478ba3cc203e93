"""What Chinese price lists have in common: bands of lengths in many notations, and cells that name their prices."""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from pipeline.reading.bands import Band
from pipeline.reading.money import normalise

_NAME = re.compile(r"输[入出](?:长度)?|Token", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([KM]?)", re.IGNORECASE)
# Where one condition ends and the next begins; a name may also stand between its bounds, as in "0 ≤ 输入长度 < 32k".
_JOINT = re.compile(r"且|(?<=[\d)\]KkMm+]),?(?=输)")
_FACTORS = {"": 1, "K": 1_000, "M": 1_000_000}
# What is left of a condition without its name and its numbers.
_BOTH = {"[#,#]", "[#,#)", "(#,#]", "(#,#)", "#<≤#", "#≤<#", "#~#"}
_UPPER = {"≤#", "<#"}
_LOWER = {"≥#", ">#", "#+", "[#+)", "(#,+∞)", "[#,+∞)"}


class Lengths(NamedTuple):
    """The prompts that a price holds for, as bounds in tokens, and in words the lengths of the output if it has any."""

    context_from: int | None = None
    context_to: int | None = None
    output: str | None = None

    @property
    def band(self) -> Band:
        """The lengths of prompts, as fields of a quote."""
        return Band(context_from=self.context_from, context_to=self.context_to)


def read_lengths(printed: str, *, scale: int = 1) -> Lengths:
    """Conditions such as `输入长度 (32, 128]，输出长度 [0, 0.2)`, `32K<Token≤128K`, `≥ 32k`, `512k+` or `256K~1M`.

    K is 1,000 and M 1,000,000; where the heading of the column names the unit instead, it is the `scale`. Lengths of
    which a condition does not say whose they are are those of the input. Raises ValueError for anything else.
    """
    text = "".join(unicodedata.normalize("NFKC", normalise(printed)).split())
    bounds: dict[str, tuple[int, int | None]] = {}
    for condition in _JOINT.split(text):
        name = _NAME.search(condition)
        about = "输出" if name and name[0].startswith("输出") else "输入"
        bare = _NAME.sub("", condition, count=1)
        shape = _NUMBER.sub("#", bare)
        numbers = [_length(number, suffix.upper(), scale) for number, suffix in _NUMBER.findall(bare)]
        if about in bounds or shape not in _BOTH | _UPPER | _LOWER:
            raise ValueError(f"{printed!r} is not a band of lengths that is known")
        low = 0 if shape in _UPPER else numbers[0]
        high = None if shape in _LOWER else numbers[-1]
        if high is not None and high <= low:
            raise ValueError(f"{printed!r} is a band that ends before it begins")
        bounds[about] = low, high
    least, most = bounds.get("输出", (None, None))
    output = f"output up to {most} tokens" if most else f"output above {least} tokens" if least else None
    context_from, context_to = bounds.get("输入", (None, None))
    return Lengths(context_from, context_to, output)


def _length(number: str, suffix: str, scale: int) -> int:
    if suffix and scale != 1:
        raise ValueError(f"{number}{suffix} has a unit of its own, and so has its column")
    length = Decimal(number) * _FACTORS[suffix] * scale
    if length != int(length):
        raise ValueError(f"{length} is no number of tokens")
    return int(length)


def labelled_prices(printed: str) -> Iterator[tuple[str, str]]:
    """The prices of a cell and what each is for: one per line, as `what：price`, or a price alone.

    A line without a price is about the lines below it: `480P` above `有声视频：1元` gives `480P, 有声视频`. Bullets are
    dropped, and so are quoted lines, which explain. Raises ValueError for a last line that has nothing to be about.
    """
    lines = [re.sub(r"^\* ", "", line) for line in printed.split("\n") if not line.startswith(">")]
    above = ""
    for position, line in enumerate(lines):
        what, colon, price = line.rpartition("：")
        if colon and price:
            yield ", ".join(filter(None, (above, what))), price
        elif len(lines) == 1:
            yield "", line
        elif position + 1 < len(lines):
            above = line.removesuffix("：")
        else:
            raise ValueError(f"{line!r} at the end of {printed!r} has no price")
