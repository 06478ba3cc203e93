{# On which days of which prices our belief changed, and when: all of a restatement but why. #}
{{ config(
    materialized='incremental',
    pre_hook="{{ drop_outdated('int_price_fingerprints', ['price_fingerprint']) }}"
) }}

with prices_to_tell as (
    {{ to_tell('int_price_fingerprints', ['price_fingerprint']) }}
),

headline_spells as (
    select spells.*
    from {{ ref('int_headline_spells') }} as spells
    inner join prices_to_tell as prices on spells.price_key = prices.price_key
    where {{ is_of_provider('spells', 'prices_to_tell') }}
),

beliefs as (
    select
        price_key,
        page_key,
        series_price,
        evidence_sha256,
        cast(valid_from as date) as day_from,
        coalesce(cast(valid_to as date), cast('infinity' as date)) as day_to,
        known_from,
        known_to
    from headline_spells
    where coalesce(cast(valid_from as date) < cast(valid_to as date), true)
),

-- What we stopped believing and what we began to believe at a moment; all else we believed on.
steps as (
    select
        price_key,
        known_to as restated_at,
        'old' as side,
        * exclude (price_key, known_to)
    from beliefs
    where known_to is not null
    union all by name
    select
        price_key,
        known_from as restated_at,
        'new' as side,
        * exclude (price_key)
    from beliefs
),

-- What came before the first day of which anything was ever believed is told for the first time.
believed_since as (
    select
        price_key,
        known_from,
        min(min(day_from)) over (
            partition by price_key
            order by known_from
            rows between unbounded preceding and current row
        ) as believed_from_day
    from beliefs
    group by price_key, known_from
),

candidates as (
    select
        steps.*,
        since.believed_from_day
    from steps
    asof left join believed_since as since
        on steps.price_key = since.price_key and steps.restated_at > since.known_from
),

edges as (
    select distinct
        price_key,
        restated_at,
        unnest([
            greatest(day_from, believed_from_day),
            -- The days to come were nobody's belief yet.
            least(day_to, cast(restated_at as date))
        ]) as edge
    from candidates
    where
        believed_from_day is not null
        and greatest(day_from, believed_from_day) < least(day_to, cast(restated_at as date))
),

spans as (
    select
        price_key,
        restated_at,
        edge as day_from,
        lead(edge) over (partition by price_key, restated_at order by edge) as day_to
    from edges
),

restated as (
    select
        spans.price_key,
        spans.restated_at,
        spans.day_from,
        spans.day_to,
        max(steps.known_from) filter (where steps.side = 'old') as believed_since,
        bool_or(steps.side = 'old') as was_listed,
        bool_or(steps.side = 'new') as is_listed,
        max(steps.series_price) filter (where steps.side = 'old') as old_price,
        max(steps.series_price) filter (where steps.side = 'new') as new_price,
        max(steps.page_key) filter (where steps.side = 'old') as old_page_key,
        max(steps.page_key) filter (where steps.side = 'new') as new_page_key,
        max(steps.evidence_sha256) filter (where steps.side = 'old') as old_evidence_sha256,
        max(steps.evidence_sha256) filter (where steps.side = 'new') as new_evidence_sha256
    from spans
    inner join steps
        on
            spans.price_key = steps.price_key
            and spans.restated_at = steps.restated_at
            and spans.day_from >= steps.day_from
            and spans.day_to <= steps.day_to
    group by spans.price_key, spans.restated_at, spans.day_from, spans.day_to
    having was_listed <> is_listed or old_price is distinct from new_price
),

offers as (
    select
        price_key,
        any_value(offer_id) as offer_id,
        any_value(provider_id) as provider_id,
        any_value(model_label) as model_label,
        any_value(meter) as meter,
        any_value(service_tier) as service_tier,
        any_value(context_from) as context_from,
        any_value(context_to) as context_to,
        any_value(region) as region,
        any_value(time_window) as time_window,
        any_value(currency) as currency,
        any_value(series_unit) as series_unit
    from headline_spells
    where price_key in (select restated.price_key from restated)
    group by price_key
)

-- Of most prices nothing was ever restated: a row without a time says that this has been told.
select
    prices.price_key,
    prices.price_fingerprint,
    offers.offer_id,
    offers.provider_id,
    offers.model_label,
    offers.meter,
    offers.service_tier,
    offers.context_from,
    offers.context_to,
    offers.region,
    offers.time_window,
    offers.currency,
    offers.series_unit,
    restated.restated_at,
    restated.day_from,
    restated.day_to,
    restated.believed_since,
    restated.was_listed,
    restated.is_listed,
    restated.old_price,
    restated.new_price,
    restated.old_page_key,
    restated.new_page_key,
    restated.old_evidence_sha256,
    restated.new_evidence_sha256
from prices_to_tell as prices
left join restated on prices.price_key = restated.price_key
left join offers on prices.price_key = offers.price_key
