{#
    What the history of each price of a page depends on, in one value: as long as it stands, its spells stand. A capture
    that comes after all others, in time and in our knowledge, and repeats what a price was, changes nothing of it.
#}
{{ config(
    materialized='incremental',
    pre_hook="{{ drop_outdated('int_page_fingerprints', ['page_fingerprint']) }}"
) }}

with pages as (
    {{ to_tell('int_page_fingerprints', ['page_fingerprint']) }}
),

-- Among events up to the last one that was withdrawn, or known only after a later one, anything may depend on anything.
numbered_events as (
    select
        events.*,
        events.known_to < cast('infinity' as timestamp)
        or coalesce(events.known_from > min(events.known_from) over later_ones, false) as is_unsettled,
        row_number() over in_time as event_no,
        lead(events.captured_at) over in_time as next_captured_at,
        lead(events.known_from) over in_time as next_known_from
    from {{ ref('int_page_events') }} as events
    inner join pages on events.page_key = pages.page_key
    window
        in_time as (partition by events.page_key order by events.captured_at, events.known_from, events.reading_id),
        later_ones as (in_time rows between 1 following and unbounded following)
),

events as (
    select
        *,
        coalesce(max(event_no) filter (where is_unsettled) over (partition by page_key), 0) as unsettled_no
    from numbered_events
),

-- The first event after them may repeat one that was withdrawn: then it says something new.
unsettled_pasts as (
    select
        page_key,
        bit_xor(hash(hash(reading_id, captured_at, known_from, known_to))) as past_hash
    from events
    where unsettled_no > 0 and event_no <= unsettled_no + 1
    group by page_key
),

printed as (
    select
        events.page_key,
        events.reading_id,
        events.captured_at,
        events.known_from,
        events.event_no,
        events.unsettled_no,
        events.next_captured_at,
        events.next_known_from,
        quotes.quote_no,
        quotes.price_key,
        quotes.offer_id,
        quotes.provider_id,
        quotes.meter,
        quotes.currency,
        {{ sequence_key('quotes') }} as sequence_key,
        quotes.announced_from,
        quotes.valid_until,
        hash(quotes.series_price, quotes.doubt) as said
    from events
    inner join {{ ref('stg_quotes') }} as quotes
        on events.quotes_sha256 = quotes.quotes_sha256 and quotes.doubt is distinct from 'flap'
),

-- Runs of captures, one after the other, that say the same of a price.
runs as (
    select
        *,
        coalesce(
            lag(event_no) over in_time <> event_no - 1 or lag(said) over in_time <> said,
            true
        ) as starts_run,
        coalesce(lead(event_no) over in_time <> event_no + 1, true) as vanishes_next
    from printed
    window in_time as (partition by page_key, price_key order by event_no, quote_no)
),

told as (
    select
        page_key,
        price_key,
        any_value(offer_id) as offer_id,
        any_value(sequence_key) as sequence_key,
        any_value(provider_id) as provider_id,
        any_value(meter) as meter,
        any_value(currency) as currency,
        bool_or(announced_from is not null or valid_until is not null) as has_dates,
        -- What the first capture of a page says may have begun long before it.
        bit_xor(
            hash(hash(reading_id, captured_at, known_from, quote_no, said, event_no = 1))
        ) filter (where starts_run and event_no > unsettled_no) as starts_hash,
        bit_xor(
            hash(hash(next_captured_at, next_known_from))
        ) filter (where vanishes_next and event_no >= unsettled_no and next_captured_at is not null) as ends_hash
    from runs
    group by page_key, price_key
)

select
    told.page_key,
    pages.page_fingerprint,
    told.price_key,
    told.offer_id,
    told.sequence_key,
    told.provider_id,
    told.meter,
    told.currency,
    case
        -- What is said with dates can change its meaning with every capture; and of a history, the longest speaks.
        when told.has_dates or sources.role = 'price_history'
            then hash(told.page_key, told.price_key, pages.page_fingerprint)
        else hash(
            told.page_key,
            told.price_key,
            pages.ground_fingerprint,
            unsettled_pasts.past_hash,
            told.starts_hash,
            told.ends_hash
        )
    end as witness_fingerprint
from told
inner join pages on told.page_key = pages.page_key
inner join {{ source('raw', 'sources') }} as sources
    on told.page_key = sources.provider_id || '/' || sources.page_id
left join unsettled_pasts on told.page_key = unsettled_pasts.page_key
