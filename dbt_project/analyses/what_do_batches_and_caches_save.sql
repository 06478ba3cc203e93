-- What does a provider take off for batches, and for input that it has in its cache?
-- Ratios of two prices that are in force now and that one page prints for the same label, context band, region and
-- currency: 0.5 is half the price. Batch is held against the standard tier, cached input against input of that tier.
with prices as (
    select
        history.*,
        coalesce(history.usd_per_mtok, history.list_unit_price) as price
    from marts.fct_price_history as history
    cross join marts.dim_clock as clock
    where
        history.known_to is null
        and history.quality = 'ok'
        and history.list_unit_price > 0
        and history.service_tier in ('standard', 'batch')
        and history.meter in ('input', 'output', 'cache_read')
        and history.valid_from <= clock.recorded_until
        and coalesce(history.valid_to > clock.recorded_until, true)
),

pairs as (
    select
        cheaper.provider_id,
        cheaper.model_label,
        case
            when cheaper.meter = 'cache_read' then 'cached input'
            else 'batch ' || cheaper.meter
        end as discount,
        cast(cheaper.price as double) / cast(dearer.price as double) as ratio
    from prices as cheaper
    inner join prices as dearer
        on
            cheaper.provider_id = dearer.provider_id
            and cheaper.model_label = dearer.model_label
            and cheaper.context_from is not distinct from dearer.context_from
            and cheaper.context_to is not distinct from dearer.context_to
            and cheaper.region is not distinct from dearer.region
            and cheaper.time_window is not distinct from dearer.time_window
            and cheaper.currency = dearer.currency
            and (cheaper.usd_per_mtok is null) = (dearer.usd_per_mtok is null)
            and (cheaper.usd_per_mtok is not null or cheaper.pricing_unit = dearer.pricing_unit)
            and dearer.service_tier = 'standard'
            and (
                (cheaper.service_tier = 'batch' and cheaper.meter = dearer.meter and cheaper.meter <> 'cache_read')
                or (cheaper.service_tier = 'standard' and cheaper.meter = 'cache_read' and dearer.meter = 'input')
            )
)

select
    discount,
    provider_id,
    count(distinct model_label) as labels,
    median(ratio) as median_ratio,
    min(ratio) as lowest_ratio,
    max(ratio) as highest_ratio
from pairs
group by discount, provider_id
order by discount, median_ratio, provider_id
