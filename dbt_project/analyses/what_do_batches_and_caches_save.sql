-- What does a provider take off for batches, and for input that it has in its cache?
-- Ratios of two prices that are in force now, for the same label, context band, region and currency: 0.5 is half the
-- price. Batch is held against the standard tier, cached input against input of that tier.
with ratios as (
    select
        ladder.provider_id,
        ladder.model_label,
        ladder.ratio,
        case when ladder.rung = 'batch' then 'batch ' || ladder.meter else 'cached input' end as discount
    from marts.mart_discount_ladder as ladder
    cross join marts.dim_clock as clock
    where
        (
            (ladder.rung = 'batch' and ladder.meter in ('input', 'output'))
            or (ladder.rung = 'cache_read' and ladder.meter = 'cache_read')
        )
        and ladder.ratio > 0
        and ladder.day_from <= cast(clock.recorded_until as date)
        and coalesce(ladder.day_to > cast(clock.recorded_until as date), true)
)

select
    discount,
    provider_id,
    count(distinct model_label) as labels,
    median(ratio) as median_ratio,
    min(ratio) as lowest_ratio,
    max(ratio) as highest_ratio
from ratios
group by discount, provider_id
order by discount, median_ratio, provider_id
