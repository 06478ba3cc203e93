"""The dbt project as assets: every model an asset, every test an asset check."""

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from typing import Any

import dagster as dg

from pipeline.assets import OWNERS
from pipeline.progress import report
from pipeline.warehouse import transform
from pipeline.warehouse.publish import load_manifest

# dagster-dbt does without dbt-core where it is not installed. It is, but runs in a process of its own; here its import
# would take longer than that of all of Dagster, and 40 MB.
sys.modules.setdefault("dbt.version", None)  # type: ignore[arg-type]
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets  # noqa: E402
from dagster_dbt.asset_utils import (  # noqa: E402
    DAGSTER_DBT_UNIQUE_ID_METADATA_KEY,
    get_subset_selection_for_context,
)
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage  # noqa: E402

if sys.modules["dbt.version"] is None:
    del sys.modules["dbt.version"]


class Translator(DagsterDbtTranslator):
    """Groups are the folders of the project; everything is owned by the team."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The folder of a model; seeds are a group of their own."""
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        return str(dbt_resource_props["fqn"][1])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        """The owners of all assets."""
        return OWNERS


TRANSLATOR = Translator(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=False))


@dg.resource(description="dbt in a process of its own, begun with the run: it parses while pages are captured.")
def dbt_process() -> Iterator[transform.Build]:
    """The build of one run; ended with it."""
    with transform.Build() as build:
        yield build


@dbt_assets(manifest=transform.prepare(), dagster_dbt_translator=TRANSLATOR, name="dbt_build")
def dbt_build(
    context: dg.AssetExecutionContext,
    dbt_process: dg.ResourceParam[transform.Build],
    pen: dg.ResourceParam[ProcessPoolExecutor],
) -> Iterator[Any]:
    """Seeds, models and tests in the build file. A failed test of error severity keeps the run from publishing."""
    manifest = load_manifest(transform.prepare())
    selection, indirect = get_subset_selection_for_context(context, manifest, None, None, None, TRANSLATOR, None)
    dbt_process.begin([*selection, *(["--indirect-selection", indirect] if indirect else [])])
    selected = {
        spec.metadata[DAGSTER_DBT_UNIQUE_ID_METADATA_KEY]
        for spec in dbt_build.specs
        if spec.key in context.selected_asset_keys
    }
    # Much of what the analytics take is for imports, and neither this process nor the other core has much to do now.
    pen.submit(import_module, "matplotlib.figure")
    import_module("pipeline.analytics.floor")
    for done, raw_event in enumerate(dbt_process.events(), start=1):
        data = raw_event["data"]
        node = data["node_info"]
        total = data["num_models"] if node["resource_type"] == "test" else data["total"]
        report("build", done, total, f"{node['node_name']} {node['node_status']}")
        # Where dbt cannot go on with its last build, it builds more than was selected.
        if node["resource_type"] == "test" or node["unique_id"] in selected:
            message = DbtCoreCliEventMessage(raw_event=raw_event, event_history_metadata={})
            yield from message.to_default_asset_events(manifest, TRANSLATOR, context, transform.PREPARED)
    if not dbt_process.succeeded:
        context.log.error("dbt build did not succeed; see the failed models and checks")


def made_of_seeds_alone() -> set[dg.AssetKey]:
    """The seeds, and the models that read nothing else: they stand as they are until the project changes."""
    manifest = load_manifest(transform.prepare())
    reached: set[str] = set()
    follow = [*manifest["sources"]]
    while follow:
        children = set(manifest["child_map"].get(follow.pop(), [])) - reached
        reached |= children
        follow += children
    return {spec.key for spec in dbt_build.specs if spec.metadata[DAGSTER_DBT_UNIQUE_ID_METADATA_KEY] not in reached}
