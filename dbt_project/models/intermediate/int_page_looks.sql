{#
    When a page was seen around the moments at which a price begins or ends on it, by what is believed today: last
    before the moment, and first from then on.
#}
with moments as (
    select
        page_key,
        spell_from as moment
    from {{ ref('int_price_history') }}
    union
    select
        page_key,
        coalesce(valid_to, cast('infinity' as timestamp)) as moment
    from {{ ref('int_price_history') }}
),

good_captures as (
    select
        page_key,
        captured_at,
        bool_or(is_released) as is_released
    from {{ ref('int_good_readings') }}
    where known_to is null
    group by page_key, captured_at
)

select
    moments.page_key,
    moments.moment,
    earlier.captured_at as last_captured_before,
    later.captured_at as first_captured_since,
    later.is_released as first_is_released
from moments
asof left join good_captures as earlier
    on moments.page_key = earlier.page_key and moments.moment > earlier.captured_at
asof left join good_captures as later
    on moments.page_key = later.page_key and moments.moment <= later.captured_at
