-- What does a long prompt cost more?
-- Every price in force now that applies above a number of prompt tokens only, as a multiple of the price of the same
-- label, tier and meter for the shortest prompts. A band is a cliff: beyond it the whole request costs its price.
with prices as (
    select
        history.*,
        coalesce(history.context_from, 0) as band_from,
        coalesce(history.usd_per_mtok, history.list_unit_price) as price
    from marts.fct_price_history as history
    cross join marts.dim_clock as clock
    where
        history.known_to is null
        and history.quality = 'ok'
        and history.list_unit_price > 0
        and history.valid_from <= clock.recorded_until
        and coalesce(history.valid_to > clock.recorded_until, true)
)

select
    dearer.provider_id,
    dearer.model_label,
    dearer.service_tier,
    dearer.meter,
    dearer.region,
    dearer.time_window,
    dearer.context_from as above_prompt_tokens,
    dearer.context_to as up_to_prompt_tokens,
    base.list_unit_price as short_prompt_price,
    dearer.list_unit_price as long_prompt_price,
    dearer.currency,
    dearer.pricing_unit,
    cast(dearer.price as double) / cast(base.price as double) as times_the_short_price
from prices as dearer
inner join prices as base
    on
        dearer.provider_id = base.provider_id
        and dearer.model_label = base.model_label
        and dearer.service_tier = base.service_tier
        and dearer.meter = base.meter
        and dearer.region is not distinct from base.region
        and dearer.time_window is not distinct from base.time_window
        and dearer.currency = base.currency
        and dearer.pricing_unit = base.pricing_unit
        and base.band_from = 0
where dearer.band_from > 0
order by
    times_the_short_price desc,
    dearer.provider_id asc,
    dearer.model_label asc,
    dearer.service_tier asc,
    dearer.meter asc,
    dearer.region asc,
    above_prompt_tokens asc
