{#
    The price of one token of a workload, p = sum(share x price): one row per offer, workload and span of days in which
    none of the workload's prices moves. Null where the offer does not print one of its meters.
#}
{{ config(
    materialized='incremental',
    pre_hook="{{ drop_outdated('int_offer_fingerprints', ['offer_fingerprint']) }}"
) }}

with offers_to_tell as (
    {{ to_tell('int_offer_fingerprints', ['offer_fingerprint']) }}
),

trusted_prices as (
    {{ trusted_prices('offers_to_tell', 'offer_id') }}
),

prices as (
    select
        offer_id,
        model_id,
        provider_id,
        source_kind,
        service_tier,
        context_from,
        region,
        time_window,
        meter,
        usd_per_mtok,
        cast(valid_from as date) as day_from,
        cast(valid_to as date) as day_to
    from trusted_prices
    where
        currency = 'USD'
        and usd_per_mtok is not null
        and coalesce(cast(valid_from as date) < cast(valid_to as date), true)
        and meter in (select workloads.meter from {{ ref('workloads') }} as workloads)
),

edges as (
    select
        offer_id,
        model_id,
        day_from as edge
    from prices
    union distinct
    select
        offer_id,
        model_id,
        day_to as edge
    from prices
    where day_to is not null
),

spans as (
    select
        offer_id,
        model_id,
        edge as day_from,
        lead(edge) over (partition by offer_id, model_id order by edge) as day_to
    from edges
),

blends as (
    select
        spans.offer_id,
        spans.model_id,
        workloads.workload_id,
        spans.day_from,
        spans.day_to,
        any_value(prices.provider_id) as provider_id,
        min(prices.source_kind) as source_kind,
        any_value(prices.service_tier) as service_tier,
        any_value(prices.context_from) as context_from,
        any_value(prices.region) as region,
        any_value(prices.time_window) as time_window,
        case
            when count(prices.meter) = count(*)
                -- In order: a sum of floats in another order is another number.
                then list_sum(list_sort(list(workloads.share * cast(prices.usd_per_mtok as double))))
        end as usd_per_mtok,
        count(prices.meter) as priced_meters
    from spans
    cross join {{ ref('workloads') }} as workloads
    left join prices
        on
            spans.offer_id = prices.offer_id
            and spans.model_id = prices.model_id
            and workloads.meter = prices.meter
            and spans.day_from >= prices.day_from
            and spans.day_from < coalesce(prices.day_to, cast('infinity' as date))
    group by spans.offer_id, spans.model_id, workloads.workload_id, spans.day_from, spans.day_to
),

-- Spans in which the blend stays the same although some price of the offer moves are one.
islands as (
    select
        *,
        count_if(not continues) over (
            partition by offer_id, model_id, workload_id
            order by day_from
            rows between unbounded preceding and current row
        ) as island
    from (
        select
            *,
            coalesce(
                lag(usd_per_mtok) over in_time is not distinct from usd_per_mtok
                and lag(day_to) over in_time = day_from
                and lag(source_kind) over in_time = source_kind,
                false
            ) as continues
        from blends
        where priced_meters > 0
        window in_time as (partition by offer_id, model_id, workload_id order by day_from)
    ) as neighbours
)

select
    islands.offer_id,
    any_value(offers.offer_fingerprint) as offer_fingerprint,
    islands.model_id,
    any_value(islands.provider_id) as provider_id,
    islands.workload_id,
    any_value(islands.source_kind) as source_kind,
    any_value(islands.service_tier) as service_tier,
    any_value(islands.context_from) as context_from,
    any_value(islands.region) as region,
    any_value(islands.time_window) as time_window,
    min(islands.day_from) as day_from,
    last(islands.day_to order by islands.day_from) as day_to,
    any_value(islands.usd_per_mtok) as usd_per_mtok,
    -- A price in force under 30 days is a promo; one that is still in force is not known to be.
    coalesce(last(islands.day_to order by islands.day_from) < min(islands.day_from) + interval 30 day, false)
        as is_promo
from islands
inner join offers_to_tell as offers on islands.offer_id = offers.offer_id
group by islands.offer_id, islands.model_id, islands.workload_id, islands.island
