{#
    Every witness's own history: one row per page, price and unbroken spell, for one span of our knowledge.

    Only prices of which we know something new are computed again, each from all that is known of it, so that the
    order in which captures arrive makes no difference.
#}
{{ config(
    materialized='incremental',
    pre_hook="{{ drop_outdated('int_witness_fingerprints', ['witness_fingerprint']) }}"
) }}

with prices_to_tell as (
    {{ to_tell('int_witness_fingerprints', ['witness_fingerprint']) }}
),

pages as (
    select
        provider_id || '/' || page_id as page_key,
        role
    from {{ source('raw', 'sources') }}
    where provider_id || '/' || page_id in (select prices_to_tell.page_key from prices_to_tell)
),

events_of_pages as (
    select
        events.reading_id,
        events.page_key,
        events.captured_at,
        events.evidence_sha256,
        events.quotes_sha256,
        events.known_from,
        -- A history has all that was ever said: from when one that goes on for longer is known, it alone speaks.
        case
            when pages.role = 'price_history'
                then least(
                    events.known_to,
                    coalesce(min(events.known_from) over longer_ones, cast('infinity' as timestamp))
                )
            else events.known_to
        end as known_to,
        pages.role
    from {{ ref('int_page_events') }} as events
    inner join pages on events.page_key = pages.page_key
    window longer_ones as (
        partition by events.page_key
        order by events.captured_at, events.known_from
        groups between 1 following and unbounded following
    )
),

page_events as (
    select * from events_of_pages
    where role <> 'price_history' or known_from < known_to
),

quotes as (
    select
        events.page_key,
        events.reading_id,
        events.captured_at,
        events.known_from,
        events.known_to,
        events.evidence_sha256,
        events.role,
        quotes.quotes_sha256,
        quotes.quote_no,
        quotes.price_key,
        quotes.provider_id,
        quotes.series_price,
        quotes.announced_from,
        quotes.valid_until,
        -- A page may still print the old price beside a dated one that has come into force, or beside a passing offer.
        row_number() over (
            partition by events.reading_id, quotes.price_key
            order by quotes.announced_from desc nulls last, quotes.valid_until asc nulls last, quotes.quote_no asc
        ) as precedence,
        lead(quotes.announced_from) over (
            partition by events.reading_id, quotes.price_key order by quotes.announced_from asc nulls first
        ) as followed_from
    from page_events as events
    inner join {{ ref('stg_quotes') }} as quotes
        on events.quotes_sha256 = quotes.quotes_sha256 and quotes.doubt is distinct from 'flap'
    inner join prices_to_tell as prices
        on events.page_key = prices.page_key and quotes.price_key = prices.price_key
    where {{ is_of_provider('quotes', 'prices_to_tell') }}
),

quotes_in_force as (
    select * from quotes
    where
        (announced_from is null or announced_from <= captured_at)
        and (valid_until is null or valid_until > captured_at)
    qualify precedence = min(precedence) over (partition by reading_id, price_key)
),

-- A price map also declares prices that had ended before its first snapshot was taken.
ended_quotes as (
    select * from quotes
    where role in ('price_map', 'price_history') and valid_until <= captured_at
),

declared_pasts as (
    select
        reading_id,
        price_key,
        string_agg(concat_ws('|', announced_from, valid_until, series_price), ',' order by precedence) as past
    from ended_quotes
    group by reading_id, price_key
),

-- What each capture said of each price that the page ever had, its silence included.
statements as (
    select
        prices.page_key,
        prices.price_key,
        events.captured_at,
        events.known_from,
        events.known_to,
        quotes.announced_from,
        quotes.valid_until,
        case
            when quotes.price_key is null then 'absent'
            when quotes.series_price is null then 'unpriced'
            else cast(quotes.series_price as varchar)
        end as price_state,
        concat(price_state, '|', quotes.valid_until, '|', declared_pasts.past) as state,
        events.reading_id,
        quotes.precedence,
        declared_pasts.past is not null as declares_past
    from prices_to_tell as prices
    inner join page_events as events on prices.page_key = events.page_key
    left join quotes_in_force as quotes
        on events.reading_id = quotes.reading_id and prices.price_key = quotes.price_key
    left join declared_pasts
        on events.reading_id = declared_pasts.reading_id and prices.price_key = declared_pasts.price_key
),

events as (
    {{ without_repetitions('statements', 'page_key, price_key') }}
),

-- Where a page was captured in the order of time, names no dates and was never read again, each new state ends the one
-- before it, in force and in our belief of it, and that is all. Such prices need no moment by moment, which takes time
-- with the square of their number.
plain_prices as (
    select
        page_key,
        price_key
    from (
        select
            page_key,
            price_key,
            known_from,
            known_to,
            announced_from,
            valid_until,
            declares_past,
            lag(known_from) over (partition by page_key, price_key order by captured_at, known_from) as known_before
        from events
    ) as in_time
    group by page_key, price_key
    having
        bool_and(
            known_to = cast('infinity' as timestamp)
            and coalesce(known_before <= known_from, true)
            and announced_from is null
            and valid_until is null
            and not declares_past
        )
),

plain_states as (
    select
        page_key,
        price_key,
        price_state,
        reading_id,
        precedence,
        captured_at,
        known_from,
        lag(captured_at) over in_time is null as starts_unseen,
        lead(captured_at) over in_time as next_captured_at,
        lead(known_from) over in_time as next_known_from,
        lead(price_state) over in_time as next_price_state
    from (
        select events.*
        from events
        inner join plain_prices
            on events.page_key = plain_prices.page_key and events.price_key = plain_prices.price_key
        qualify
            lag(events.price_state) over (
                partition by events.page_key, events.price_key order by events.captured_at
            ) is distinct from events.price_state
    ) as changes
    window in_time as (partition by page_key, price_key order by captured_at)
),

-- Each is believed to go on until it is known to have ended, and from then on to have ended.
plain_spells as (
    select
        states.page_key,
        states.price_key,
        states.reading_id,
        states.precedence,
        states.captured_at as valid_from,
        case when beliefs.has_ended then states.next_captured_at end as valid_to,
        case
            when beliefs.has_ended and states.next_price_state = 'absent' then 'delisted'
            when beliefs.has_ended then 'price_change'
        end as ended_by,
        case
            when states.starts_unseen then 'left_censored'
            when pages.role in ('price_map', 'price_history') then 'declared'
            else 'observed'
        end as date_precision,
        case when beliefs.has_ended then states.next_known_from else states.known_from end as known_from,
        case when not beliefs.has_ended then states.next_known_from end as known_to
    from plain_states as states
    inner join pages on states.page_key = pages.page_key
    cross join unnest([false, true]) as beliefs (has_ended)
    where
        states.price_state <> 'absent'
        and case
            when beliefs.has_ended then states.next_known_from is not null
            else states.known_from is distinct from states.next_known_from
        end
),

-- The moments at which our belief about a price can have changed.
moments_of_knowledge as (
    select
        page_key,
        price_key,
        known_at,
        row_number() over (partition by page_key, price_key order by known_at) as known_no,
        lead(known_at) over (partition by page_key, price_key order by known_at) as next_known_at
    from (
        select distinct
            events.page_key,
            events.price_key,
            unnest([events.known_from, events.known_to]) as known_at
        from events
        anti join plain_prices
            on events.page_key = plain_prices.page_key and events.price_key = plain_prices.price_key
    ) as moments
    where known_at < cast('infinity' as timestamp)
),

believed_events as (
    select
        moments.known_at,
        moments.known_no,
        moments.next_known_at,
        events.*,
        coalesce(lag(events.price_state) over in_belief <> events.price_state, true) as starts_spell
    from moments_of_knowledge as moments
    inner join events
        on
            moments.page_key = events.page_key
            and moments.price_key = events.price_key
            and moments.known_at >= events.known_from
            and moments.known_at < events.known_to
    window in_belief as (
        partition by events.page_key, events.price_key, moments.known_no order by events.captured_at
    )
),

numbered_events as (
    select
        *,
        count_if(starts_spell) over (
            partition by page_key, price_key, known_no
            order by captured_at
            rows between unbounded preceding and current row
        ) as spell_no
    from believed_events
),

spells as (
    select
        page_key,
        price_key,
        known_no,
        spell_no,
        min(known_at) as known_at,
        min(next_known_at) as next_known_at,
        first(price_state order by captured_at) as price_state,
        first(reading_id order by captured_at) as reading_id,
        first(precedence order by captured_at) as precedence,
        first(announced_from order by captured_at) as announced_from,
        last(valid_until order by captured_at) as valid_until,
        min(captured_at) as first_captured_at,
        max(captured_at) as last_captured_at
    from numbered_events
    group by page_key, price_key, known_no, spell_no
),

started_spells as (
    select
        *,
        -- The provider's own date, unless the page said otherwise after it.
        coalesce(
            announced_from
            > coalesce(lag(last_captured_at) over in_belief, cast('-infinity' as timestamp)),
            false
        ) as starts_as_announced,
        lag(price_state) over in_belief is null as starts_unseen
    from spells
    window in_belief as (partition by page_key, price_key, known_no order by spell_no)
),

bounded_spells as (
    select
        * exclude (valid_until),
        case when starts_as_announced then announced_from else first_captured_at end as valid_from,
        lead(valid_from) over in_belief as next_valid_from,
        lead(price_state) over in_belief as next_price_state,
        -- An announced end holds as long as nothing else was seen before it.
        case
            when valid_until < coalesce(next_valid_from, cast('infinity' as timestamp)) then valid_until
            else next_valid_from
        end as valid_to,
        case
            when valid_until < coalesce(next_valid_from, cast('infinity' as timestamp)) then 'announced_end'
            when next_price_state = 'absent' then 'delisted'
            when next_price_state is not null then 'price_change'
        end as ended_by
    from started_spells
    window in_belief as (partition by page_key, price_key, known_no order by spell_no)
),

observed_spells as (
    select
        spells.page_key,
        spells.price_key,
        spells.price_state,
        spells.reading_id,
        spells.precedence,
        spells.valid_from,
        spells.valid_to,
        spells.ended_by,
        case
            when spells.starts_unseen and not spells.starts_as_announced then 'left_censored'
            when pages.role in ('price_map', 'price_history') then 'declared'
            when spells.starts_as_announced then 'exact'
            else 'observed'
        end as date_precision,
        spells.known_at,
        spells.next_known_at,
        spells.known_no
    from bounded_spells as spells
    inner join pages on spells.page_key = pages.page_key
    where spells.price_state <> 'absent'
),

-- Of the time before a price map was first seen, its first snapshot that says anything is believed. The price before
-- the first declared date has no beginning; all that is declared of it is that it held on the day before.
declared_spells as (
    select
        events.page_key,
        events.price_key,
        coalesce(cast(quotes.series_price as varchar), 'unpriced') as price_state,
        events.reading_id,
        quotes.precedence,
        coalesce(quotes.announced_from, quotes.valid_until - interval 1 day) as valid_from,
        quotes.valid_until as valid_to,
        -- A history also says when a price was dropped without another in its place.
        case
            when quotes.role <> 'price_history' or quotes.followed_from = quotes.valid_until then 'price_change'
            else 'delisted'
        end as ended_by,
        case when quotes.announced_from is null then 'left_censored' else 'declared' end as date_precision,
        first_spells.known_at,
        first_spells.next_known_at,
        first_spells.known_no
    from events
    inner join ended_quotes as quotes
        on events.reading_id = quotes.reading_id and events.price_key = quotes.price_key
    inner join bounded_spells as first_spells
        on
            events.page_key = first_spells.page_key
            and events.price_key = first_spells.price_key
            and events.known_from <= first_spells.known_at
            and events.known_to > first_spells.known_at
            and first_spells.spell_no = 1
            and quotes.valid_until <= first_spells.valid_from
    where events.declares_past
    qualify
        events.captured_at = min(events.captured_at) over (
            partition by events.page_key, events.price_key, first_spells.known_no
        )
),

believed_spells as (
    select * from observed_spells
    union all
    select * from declared_spells
),

-- Neighbouring moments of knowledge at which we believed the same become one span.
islands as (
    select
        *,
        known_no - row_number() over (
            partition by page_key, price_key, valid_from, valid_to, price_state, date_precision, ended_by
            order by known_no
        ) as island
    from believed_spells
),

all_spells as (
    select
        page_key,
        price_key,
        first(reading_id order by known_no) as reading_id,
        first(precedence order by known_no) as precedence,
        valid_from,
        valid_to,
        ended_by,
        date_precision,
        min(known_at) as known_from,
        case when count(*) = count(next_known_at) then max(next_known_at) end as known_to
    from islands
    group by page_key, price_key, price_state, valid_from, valid_to, ended_by, date_precision, island
    union all by name
    select * from plain_spells
),

printed as (
    select quotes.*
    from {{ ref('stg_quotes') }} as quotes
    where {{ is_of_provider('quotes', 'prices_to_tell') }}
)

select
    prices.page_key,
    prices.price_key,
    prices.witness_fingerprint,
    printed.offer_id,
    printed.provider_id,
    printed.model_label,
    printed.meter,
    printed.series_unit,
    printed.currency,
    printed.service_tier,
    printed.context_from,
    printed.context_to,
    printed.region,
    printed.time_window,
    printed.list_unit_price,
    printed.pricing_unit,
    printed.usd_per_mtok,
    printed.series_price,
    spells.valid_from,
    spells.valid_to,
    spells.ended_by,
    spells.date_precision,
    spells.known_from,
    spells.known_to,
    printed.doubt,
    quotes.evidence_sha256,
    printed.evidence,
    printed.locator
from all_spells as spells
inner join prices_to_tell as prices on spells.page_key = prices.page_key and spells.price_key = prices.price_key
inner join quotes
    on
        spells.reading_id = quotes.reading_id
        and spells.price_key = quotes.price_key
        and spells.precedence = quotes.precedence
inner join printed
    on quotes.quotes_sha256 = printed.quotes_sha256 and quotes.quote_no = printed.quote_no
{{ together() }}
