{#
    Which prices on which days changed belief, when, and why. A day is restated where we had believed something of it
    before; what becomes known of a day within a day of its capture is news.
#}
with beliefs as (
    select
        price_key,
        page_key,
        series_price,
        evidence_sha256,
        cast(valid_from as date) as day_from,
        coalesce(cast(valid_to as date), cast('infinity' as date)) as day_to,
        known_from,
        known_to
    from {{ ref('int_headline_spells') }}
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
    from {{ ref('int_headline_spells') }}
    group by price_key
),

-- What happened to which page at a moment.
readings as (
    select
        readings.page_key,
        readings.provider_id,
        sources.role in ('price_map', 'price_history') as is_map,
        readings.captured_at,
        coalesce(good.known_from, readings.known_from) as known_at,
        coalesce(good.is_released or good.known_from > readings.known_from, false) as is_release,
        row_number() over (partition by readings.capture_id order by readings.known_from, readings.reading_id)
            as reading_no
    from {{ ref('stg_readings') }} as readings
    inner join {{ source('raw', 'sources') }} as sources
        on readings.provider_id = sources.provider_id and readings.page_id = sources.page_id
    left join {{ ref('int_good_readings') }} as good on readings.reading_id = good.reading_id
),

-- A page that was read can also make room for, or take it from, other witnesses of the same provider's prices.
scoped_readings as (
    select
        *,
        unnest([page_key, provider_id]) as scope
    from readings
),

events as (
    select
        scope,
        known_at,
        bool_or(is_release) as is_release,
        bool_or(reading_no > 1) as is_read_again,
        bool_or(is_map) as is_map,
        min(captured_at) filter (where reading_no = 1) as captured_at
    from scoped_readings
    group by scope, known_at
),

scoped as (
    select
        restated.price_key,
        restated.restated_at,
        restated.day_from,
        unnest(list_distinct([restated.old_page_key, restated.new_page_key, offers.provider_id])) as scope
    from restated
    inner join offers on restated.price_key = offers.price_key
),

causes as (
    select
        scoped.price_key,
        scoped.restated_at,
        scoped.day_from,
        case
            when bool_or(events.is_release) then 'release_from_quarantine'
            when bool_or(events.is_read_again) then 'parser_fix'
            when bool_or(events.is_map) and scoped.day_from < cast(min(events.captured_at) as date)
                then 'correction_at_source'
            when min(events.captured_at) < scoped.restated_at - interval 1 day then 'late_memento'
            when scoped.day_from < cast(min(events.captured_at) as date) then 'correction_at_source'
        end as reason
    from scoped
    inner join events on scoped.scope = events.scope and scoped.restated_at = events.known_at
    group by scoped.price_key, scoped.restated_at, scoped.day_from
)

select
    restated.restated_at,
    causes.reason,
    restated.day_from,
    restated.day_to,
    date_diff('day', restated.day_from, restated.day_to) as restated_days,
    offers.offer_id,
    restated.price_key,
    offers.provider_id,
    offers.model_label,
    offers.meter,
    offers.service_tier,
    offers.context_from,
    offers.context_to,
    offers.region,
    offers.time_window,
    offers.currency,
    offers.series_unit as pricing_unit,
    restated.was_listed,
    cast(restated.old_price as decimal(38, 18)) as old_price,
    restated.is_listed,
    cast(restated.new_price as decimal(38, 18)) as new_price,
    restated.believed_since,
    restated.old_page_key,
    restated.new_page_key,
    restated.old_evidence_sha256,
    restated.new_evidence_sha256
from restated
inner join causes
    on
        restated.price_key = causes.price_key
        and restated.restated_at = causes.restated_at
        and restated.day_from = causes.day_from
inner join offers on restated.price_key = offers.price_key
where causes.reason is not null
