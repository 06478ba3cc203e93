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
        is_released
    from {{ ref('int_good_readings') }}
    where known_to is null
),

-- Captures and moments in one order of time, which takes half the time of two asof joins: a moment stands before the
-- captures of its instant.
in_one_order as (
    select
        page_key,
        captured_at as instant,
        captured_at
    from good_captures
    union all
    select
        page_key,
        moment as instant,
        null as captured_at
    from moments
),

looks as (
    select
        page_key,
        instant as moment,
        captured_at,
        last_value(captured_at ignore nulls) over (
            in_time rows between unbounded preceding and 1 preceding
        ) as last_captured_before,
        first_value(captured_at ignore nulls) over (
            in_time rows between 1 following and unbounded following
        ) as first_captured_since
    from in_one_order
    window in_time as (partition by page_key order by instant asc, captured_at asc nulls first)
),

released_captures as (
    select distinct
        page_key,
        captured_at
    from good_captures
    where is_released
)

select
    looks.page_key,
    looks.moment,
    looks.last_captured_before,
    looks.first_captured_since,
    released.page_key is not null as first_is_released
from looks
left join released_captures as released
    on looks.page_key = released.page_key and looks.first_captured_since = released.captured_at
where looks.captured_at is null
