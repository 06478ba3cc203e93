{# The price in force at the end of each day, as believed today, up to the last day that any page was seen. #}
{{ config(materialized='view') }}

with spells as (
    select
        history.*,
        cast(history.valid_from as date) as day_from,
        least(
            coalesce(cast(history.valid_to as date) - 1, clock.as_of),
            clock.as_of
        ) as day_to
    from {{ ref('fct_price_history') }} as history
    cross join {{ ref('dim_clock') }} as clock
    where history.known_to is null and history.quality <> 'quarantined'
),

days as (
    {{ days_of('spells') }}
)

select
    days.price_date,
    spells.offer_id,
    spells.price_key,
    spells.provider_id,
    spells.model_id,
    spells.model_label,
    spells.meter,
    spells.service_tier,
    spells.context_from,
    spells.context_to,
    spells.region,
    spells.time_window,
    spells.list_unit_price,
    spells.pricing_unit,
    spells.currency,
    spells.usd_per_mtok,
    spells.date_precision,
    spells.source_kind,
    spells.evidence_sha256
from spells
inner join days on days.price_date between spells.day_from and spells.day_to
