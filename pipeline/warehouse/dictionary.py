"""The data dictionary: what every published table and column means, in the words of dbt's yml.

    python -m pipeline.warehouse.dictionary

writes `dbt_project/DICTIONARY.md` anew; its preface is written by hand and stays. Neither data nor a build is needed.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.warehouse.publish import PUBLISHED_SCHEMAS, contracts, load_manifest
from pipeline.warehouse.transform import DBT_PROJECT, prepare

DICTIONARY = DBT_PROJECT / "DICTIONARY.md"
# Everything up to this line, and the line itself, is written by hand.
GENERATED_FROM = "<!-- generated from here on: python -m pipeline.warehouse.dictionary -->\n"
# What a generic test adds to its columns where it proves that they are the grain.
_GRAIN_TESTS = {"grain": [], "grain_of_days": ["price_date"]}


def dictionary(manifest: Mapping[str, Any]) -> str:
    """One section in Markdown per published table, from dbt's manifest. Raises KeyError if one has no grain."""
    grain, published = grains(manifest), contracts(manifest)
    in_order = sorted(published, key=lambda table: (PUBLISHED_SCHEMAS.index(table[0]), table[1]))
    return "\n".join(_section(published[table], grain[table]) for table in in_order)


def grains(manifest: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    """The columns that make a row, by schema and table: those that a dbt test proves, or that a source declares."""
    tested = {
        (model["schema"], model["name"]): test["test_metadata"]["kwargs"]["columns"] + _GRAIN_TESTS[name]
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test" and (name := test.get("test_metadata", {}).get("name")) in _GRAIN_TESTS
        for model in [manifest["nodes"][test["attached_node"]]]
    }
    declared = {
        (source["schema"], source["name"]): source["config"]["meta"]["grain"]
        for source in manifest["sources"].values()
        if "grain" in source["config"]["meta"]
    }
    return tested | declared


def _section(contract: Mapping[str, Any], grain: list[str]) -> str:
    lines = [f"## {contract['schema']}.{contract['name']}", "", contract["description"], ""]
    lines += [f"Grain: {', '.join(f'`{column}`' for column in grain)}.", ""]
    lines += ["| column | type | meaning |", "|---|---|---|"]
    lines += [
        f"| `{column['name']}` | {column['data_type']} | {_cell(column['description'])} |"
        for column in contract["columns"].values()
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Replaces what is generated in the dictionary."""
    preface, line, _ = DICTIONARY.read_text().partition(GENERATED_FROM)
    DICTIONARY.write_text(f"{preface}{line}\n{dictionary(load_manifest(prepare()))}")


if __name__ == "__main__":
    main()
