"""The world in which `benchmarks/history.py` measures a long history."""

from pathlib import Path

import duckdb

from benchmarks.history import World, moves_per_year
from pipeline.domain import Reading

CHRONICLE = """\
provider_id,model_label,region,meter,service_tier,context_from,context_to,list_unit_price,pricing_unit,valid_from,valid_until
acme,m1,,input,standard,,,4,1M tokens,2024-01-01,2025-01-01
acme,m1,,input,standard,,,2,1M tokens,2025-01-01,2025-07-01
acme,m1,,input,standard,,,2,1M tokens,2025-07-01,
acme,m1,,output,standard,,,8,1M tokens,2024-01-01,
acme,m2,,input,standard,,,1,1M tokens,2025-01-01,2025-12-31
"""


def test_moves_are_counted_by_the_years_in_which_prices_held(tmp_path: Path) -> None:
    chronicle = tmp_path / "prices.csv"
    chronicle.write_text(CHRONICLE)
    # One move; 730 days of each of the first two prices, up to the last day of all, and 364 of the third.
    assert moves_per_year(chronicle) == round(1 / ((730 + 730 + 364) / 365), 2)


def test_prices_of_the_benchmark_move_as_often_as_told() -> None:
    world = World(offers=500, days=3650, moves_per_year=0.5)
    with duckdb.connect() as connection:
        world.draw(connection)
        [[moves]] = connection.execute(
            """
            select count(*) from (
                select price <> lag(price) over (partition by page, offer, meter_no order by version) as has_moved
                from printed
            ) where has_moved
            """
        ).fetchall()
        last_day = list(world.last_day(connection))
    assert 0.4 < moves / (500 * 4 * 10) < 0.6
    # One page in 25 says something new on it, all others are captured too.
    readings = [record for record in last_day if isinstance(record, Reading)]
    assert len(readings) == 5
    assert all(len(reading.quotes) == 400 for reading in readings)
