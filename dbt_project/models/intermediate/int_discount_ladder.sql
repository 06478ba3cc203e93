{#
    What is taken off, or put on, a standard price. A price is on one rung, the first that fits, and the standard price
    beside it differs in that one thing: the service tier, a long prompt instead of a short one, some hours instead of
    all, what the cache holds instead of input.

    The standard price beside a price may be that of any offer of its provider: all of a provider is told together.
#}
{{ config(
    materialized='incremental',
    pre_hook="{{ drop_outdated('int_offer_fingerprints', ['provider_fingerprint']) }}"
) }}

with offers_to_tell as (
    {{ to_tell('int_offer_fingerprints', ['provider_fingerprint']) }}
),

providers_to_tell as (
    select distinct
        provider_id,
        provider_fingerprint
    from offers_to_tell
),

trusted_prices as (
    {{ trusted_prices('providers_to_tell', 'provider_id') }}
),

prices as (
    select
        price_key,
        offer_id,
        provider_id,
        model_id,
        model_label,
        -- Some labels name their tier: what is compared is the rest of the label.
        regexp_replace(
            regexp_replace(lower(model_label), '\b(batch|flex|priority|off-?peak|peak)\b', '', 'g'),
            '[\s:(),/_-]+', '', 'g'
        ) as label_without_tier,
        meter,
        service_tier,
        coalesce(context_from, 0) as context_from,
        region,
        time_window,
        currency,
        coalesce(usd_per_mtok, list_unit_price) as price,
        case when usd_per_mtok is null then pricing_unit else '1M tokens' end as pricing_unit,
        cast(valid_from as date) as day_from,
        coalesce(cast(valid_to as date), cast('infinity' as date)) as day_to
    from trusted_prices
    where
        list_unit_price is not null
        -- A model of one's own and capacity of one's own are other goods.
        and service_tier not in ('fine_tuned', 'provisioned')
),

rungs as (
    select
        *,
        case when rung = 'long_context' then 0 else context_from end as standard_context_from,
        case when rung <> 'hours' then time_window end as standard_time_window,
        case when rung in ('cache_read', 'cache_write') then replace(meter, cache_suffix, 'input') else meter end
            as standard_meter
    from (
        select
            *,
            regexp_extract(meter, 'cache_(read|write).*') as cache_suffix,
            case
                when service_tier <> 'standard' then service_tier
                when context_from > 0 then 'long_context'
                when time_window is not null then 'hours'
                when cache_suffix <> '' then regexp_extract(cache_suffix, 'cache_(read|write)')
            end as rung
        from prices
    ) as classified
    where rung is not null
),

-- The days that a price shares with a standard price.
shared as (
    select
        rungs.price_key,
        rungs.day_from as rung_from,
        standard.price_key as standard_price_key,
        standard.price as standard_price,
        greatest(rungs.day_from, standard.day_from) as day_from,
        least(rungs.day_to, standard.day_to) as day_to
    from rungs
    inner join prices as standard
        on
            rungs.provider_id = standard.provider_id
            and rungs.label_without_tier = standard.label_without_tier
            and rungs.standard_meter = standard.meter
            and rungs.standard_context_from = standard.context_from
            and rungs.region is not distinct from standard.region
            and rungs.standard_time_window is not distinct from standard.time_window
            and rungs.currency = standard.currency
            and rungs.pricing_unit = standard.pricing_unit
            and rungs.day_from < standard.day_to
            and rungs.day_to > standard.day_from
    where standard.service_tier = 'standard'
),

edges as (
    select
        price_key,
        day_from as rung_from,
        day_from as edge
    from rungs
    union distinct
    select
        price_key,
        rung_from,
        day_from as edge
    from shared
    union distinct
    select
        price_key,
        rung_from,
        day_to as edge
    from shared
),

spans as (
    select
        rungs.*,
        edges.edge as span_from,
        least(
            lead(edges.edge) over (partition by edges.price_key, edges.rung_from order by edges.edge), rungs.day_to
        ) as span_to
    from edges
    inner join rungs on edges.price_key = rungs.price_key and edges.rung_from = rungs.day_from
    where edges.edge < rungs.day_to
),

-- Of two standard prices of one day, such as one with and one without a context band, the lower one counts.
standards as (
    select
        spans.price_key,
        spans.span_from,
        min(shared.standard_price) as standard_price,
        arg_min(shared.standard_price_key, (shared.standard_price, shared.standard_price_key)) as standard_price_key
    from spans
    inner join shared
        on
            spans.price_key = shared.price_key
            and spans.day_from = shared.rung_from
            and spans.span_from >= shared.day_from
            and spans.span_from < shared.day_to
    group by spans.price_key, spans.span_from
),

-- Spans in which neither price moves, only the witness or the model behind the label does, are one per model.
islands as (
    select
        *,
        count_if(not goes_on) over (
            partition by price_key, model_id
            order by span_from
            rows between unbounded preceding and current row
        ) as island
    from (
        select
            spans.*,
            standards.standard_price,
            standards.standard_price_key,
            coalesce(
                lag(spans.span_to) over in_time = spans.span_from
                and lag(spans.price) over in_time = spans.price
                and lag(standards.standard_price) over in_time is not distinct from standards.standard_price
                and lag(standards.standard_price_key) over in_time is not distinct from standards.standard_price_key,
                false
            ) as goes_on
        from spans
        left join standards on spans.price_key = standards.price_key and spans.span_from = standards.span_from
        window in_time as (partition by spans.price_key, spans.model_id order by spans.span_from)
    ) as neighbours
),

ladder as (
    select
        price_key,
        any_value(offer_id) as offer_id,
        any_value(provider_id) as provider_id,
        model_id,
        any_value(model_label) as model_label,
        any_value(rung) as rung,
        any_value(meter) as meter,
        any_value(service_tier) as service_tier,
        nullif(any_value(context_from), 0) as context_from,
        any_value(region) as region,
        any_value(time_window) as time_window,
        any_value(currency) as currency,
        any_value(pricing_unit) as pricing_unit,
        min(span_from) as day_from,
        nullif(max(span_to), cast('infinity' as date)) as day_to,
        cast(any_value(price) as decimal(38, 18)) as price,
        cast(any_value(standard_price) as decimal(38, 18)) as standard_price,
        case
            when any_value(standard_price) > 0
                then cast(any_value(price) as double) / cast(any_value(standard_price) as double)
        end as ratio,
        any_value(standard_price_key) as standard_price_key
    from islands
    group by price_key, model_id, island
)

-- Of a provider without any such price, a row without one says that this has been told.
select
    ladder.price_key,
    providers.provider_id,
    providers.provider_fingerprint,
    ladder.offer_id,
    ladder.model_id,
    ladder.model_label,
    ladder.rung,
    ladder.meter,
    ladder.service_tier,
    ladder.context_from,
    ladder.region,
    ladder.time_window,
    ladder.currency,
    ladder.pricing_unit,
    ladder.day_from,
    ladder.day_to,
    ladder.price,
    ladder.standard_price,
    ladder.ratio,
    ladder.standard_price_key
from providers_to_tell as providers
left join ladder on providers.provider_id = ladder.provider_id
