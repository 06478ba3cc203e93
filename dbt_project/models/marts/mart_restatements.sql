{#
    Which prices on which days changed belief, when, and why. A day is restated where we had believed something of it
    before; what becomes known of a day within a day of its capture is news.
#}
with restated as (
    select * from {{ ref('int_restated_days') }}
    where restated_at is not null
),

-- What happened to which page at such a moment.
readings as (
    select
        readings.page_key,
        readings.provider_id,
        sources.role in ('price_map', 'price_history') as is_map,
        readings.captured_at,
        coalesce(judgements.speaks_from, readings.known_from) as known_at,
        readings.is_released or known_at > readings.known_from as is_release,
        exists (
            from {{ ref('stg_readings') }} as earlier
            where
                earlier.capture_id = readings.capture_id
                and (earlier.known_from, earlier.reading_id) < (readings.known_from, readings.reading_id)
        ) as is_read_again
    from {{ ref('stg_readings') }} as readings
    inner join {{ source('raw', 'sources') }} as sources
        on readings.provider_id = sources.provider_id and readings.page_id = sources.page_id
    -- Of most readings there is no judgement: they speak from when they were made.
    left join {{ ref('int_reading_judgements') }} as judgements on readings.reading_id = judgements.reading_id
    where known_at in (select restated.restated_at from restated)
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
        bool_or(is_read_again) as is_read_again,
        bool_or(is_map) as is_map,
        min(captured_at) filter (where not is_read_again) as captured_at
    from scoped_readings
    group by scope, known_at
),

scoped as (
    select
        price_key,
        restated_at,
        day_from,
        unnest(list_distinct([old_page_key, new_page_key, provider_id])) as scope
    from restated
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
    restated.offer_id,
    restated.price_key,
    restated.provider_id,
    restated.model_label,
    restated.meter,
    restated.service_tier,
    restated.context_from,
    restated.context_to,
    restated.region,
    restated.time_window,
    restated.currency,
    restated.series_unit as pricing_unit,
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
where causes.reason is not null
