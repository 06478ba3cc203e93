"""Every version is what `json.loads` makes of it, whatever was read before; what stays is parsed once."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.history.json_versions import JsonVersions

# Few keys and values: versions share much, and what is no object stands between the objects.
_FIELDS = st.dictionaries(st.sampled_from("pqr"), st.sampled_from([1, 0.5, "é}", None, {"x": 1}]), max_size=3)
_MAPS = st.dictionaries(st.sampled_from("abcdefgh"), _FIELDS | st.sampled_from([1, "x", [], [{"x": 0.5}]]), max_size=8)
_DAMAGE = st.tuples(st.integers(0, 300), st.integers(0, 3), st.sampled_from([b"", b"}", b'"', b'},\n    "', b"\xff"]))


def outcome(read: Callable[[bytes], object], body: bytes) -> tuple[object, str]:
    """What is read, and its order of keys; or the error."""
    try:
        document = read(body)
    except ValueError as error:
        return None, f"{type(error).__name__}: {error}"
    return document, json.dumps(document, default=str)


def whole(body: bytes) -> object:
    return json.loads(body, parse_float=Decimal)


def entries(**prices: object) -> bytes:
    return json.dumps({label: {"price": price} for label, price in prices.items()}, indent=4).encode()


@given(
    versions=st.lists(_MAPS, min_size=1, max_size=4),
    indent=st.sampled_from([None, 0, 1, 4, "\t"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    damage=_DAMAGE,
)
def test_versions_whole_and_damaged_are_read_as_by_themselves(
    versions: list[dict[str, object]], indent: int | str | None, newline: str, damage: tuple[int, int, bytes]
) -> None:
    reader = JsonVersions()
    place, length, inserted = damage
    for version in versions:
        body = json.dumps(version, indent=indent, ensure_ascii=False).replace("\n", newline).encode()
        for text in (body, body[:place] + inserted + body[place + length :], body):
            assert outcome(reader.read, text) == outcome(whole, text)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_only_what_changed_is_parsed_again(newline: bytes) -> None:
    reader = JsonVersions()
    before = reader.read(entries(first=1, same=2, other=3, moved=4, last=5).replace(b"\n", newline))
    after = reader.read(entries(first=1, moved=4, same=2, other=3.5, new=6, last=5).replace(b"\n", newline))
    assert after["same"] is before["same"]
    assert after["moved"] is before["moved"]
    assert after["other"] == {"price": Decimal("3.5")}


def test_of_versions_read_only_the_last_is_kept() -> None:
    reader = JsonVersions()
    before = reader.read(entries(first=1, gone=2, last=3))
    reader.read(entries(first=1, other=2, last=3))
    after = reader.read(entries(first=1, gone=2, last=3))
    assert after == before
    assert after["gone"] is not before["gone"]


def test_a_broken_version_is_named_by_its_place_in_the_whole_and_forgets_nothing() -> None:
    reader = JsonVersions()
    before = reader.read(entries(first=1, same=2, last=3))
    with pytest.raises(json.JSONDecodeError, match="line 9 column 18"):
        reader.read(entries(first=1, same=2, last=3).replace(b"3", b"<<<<"))
    assert reader.read(entries(first=2, same=2, last=3))["same"] is before["same"]


def test_of_a_key_that_stands_twice_the_last_one_counts() -> None:
    reader = JsonVersions()
    members = ['"a": {"price": 1}', '"b": {"price": 1}', '"b": {"price": 2}', '"b": {"price": 1}', '"a": {"price": 2}']
    text = "{\n    " + ",\n    ".join(members) + "\n}\n"
    assert reader.read(text.encode()) == {"a": {"price": 2}, "b": {"price": 1}}


def test_a_piece_that_ended_one_version_is_not_taken_for_one_in_the_middle_of_the_next() -> None:
    reader = JsonVersions()
    reader.read(b'{\n "a": {},\n "b": {"x": 1},\n "c": {"x": 1}}')
    broken = b'{\n "a": {},\n "c": {"x": 1}}},\n "d": {}}'
    with pytest.raises(json.JSONDecodeError, match="Extra data"):
        reader.read(broken)


def test_lines_inside_entries_that_begin_like_entries_are_no_entries() -> None:
    text = b'{\n"a": {\n"x": {"y": 1},\n"z": 2},\n"b": {\n"x": {},\n"z": 3}\n}'
    assert JsonVersions().read(text) == {"a": {"x": {"y": 1}, "z": 2}, "b": {"x": {}, "z": 3}}
