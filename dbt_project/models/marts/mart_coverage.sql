{# How well each page is covered today: what was seen last, what could not be read, what has no name or no price. #}
with sources as (
    select
        provider_id,
        page_id,
        provider_id || '/' || page_id as page_key,
        url,
        format,
        role,
        is_verified
    from {{ source('raw', 'sources') }}
    where role is distinct from 'exchange_rates'
),

attempts as (
    select
        page_key,
        count(*) as attempts,
        max(requested_at) as last_attempt_at,
        last(outcome order by requested_at, capture_id) as last_outcome,
        last(message order by requested_at, capture_id) as last_message,
        count(*) filter (where outcome in ('RobotsDisallowed', 'BotChallenge', 'BlockedAddress')) as blocked_attempts,
        count(*) filter (where outcome not in ('ok', 'unchanged')) as failed_attempts
    from {{ ref('stg_captures') }}
    -- What a memento was like says nothing of how the page can be read today.
    where origin is distinct from 'web_archive'
    group by page_key
),

good_readings as (
    select
        page_key,
        captured_at,
        quotes_sha256,
        date_diff(
            'day', lag(captured_at) over (partition by page_key order by captured_at), captured_at
        ) as days_since_previous
    from {{ ref('stg_readings') }}
    where outcome = 'ok' and known_to is null
),

good as (
    select
        page_key,
        count(*) as good_captures,
        min(captured_at) as first_good_capture_at,
        max(captured_at) as last_good_capture_at,
        max(days_since_previous) as longest_gap_days,
        last(quotes_sha256 order by captured_at) as quotes_sha256
    from good_readings
    group by page_key
),

-- With the model that a label stands for last.
known_labels as (
    select
        aliases.provider_id,
        aliases.model_label,
        last(aliases.model_id order by aliases.valid_from asc nulls first) as model_id
    from {{ ref('model_aliases') }} as aliases
    group by aliases.provider_id, aliases.model_label
),

scored_models as (
    select distinct model_id
    from {{ ref('capability_scores') }}
),

quotes as (
    select
        good.page_key,
        count(*) as quotes,
        count(*) filter (where quotes.list_unit_price > 0) as priced_quotes,
        count(*) filter (where quotes.list_unit_price = 0) as free_quotes,
        count(*) filter (where quotes.list_unit_price is null) as unpriced_quotes,
        count(*) filter (where quotes.announced_from > good.last_good_capture_at) as announced_quotes,
        count(distinct quotes.model_label) as labels,
        count(distinct quotes.model_label) filter (where aliases.model_label is null) as unmapped_labels,
        list_sort(list_distinct(list(quotes.model_label) filter (where aliases.model_label is null)))
            as unmapped_label_names,
        list_sort(list_distinct(
            list(aliases.model_id) filter (where aliases.model_id is not null and scored_models.model_id is null)
        )) as unscored_model_ids
    from good
    inner join {{ ref('stg_quotes') }} as quotes on good.quotes_sha256 = quotes.quotes_sha256
    left join known_labels as aliases
        on quotes.provider_id = aliases.provider_id and quotes.model_label = aliases.model_label
    left join scored_models on aliases.model_id = scored_models.model_id
    group by good.page_key
),

held as (
    select
        page_key,
        max(captured_at) as held_since
    from {{ ref('int_reading_judgements') }}
    where speaks_from is null and known_to is null
    group by page_key
),

quarantined as (
    select
        page_key,
        count(*) as quarantined_prices
    from {{ ref('fct_price_history') }}
    where quality = 'quarantined' and known_to is null and valid_to is null
    group by page_key
),

delisted as (
    select
        page_key,
        count(distinct offer_id) as delisted_offers
    from {{ ref('int_headline_spells') }}
    where known_to is null and ended_by = 'delisted'
    group by page_key
)

select
    sources.provider_id,
    sources.page_id,
    sources.url,
    sources.format,
    sources.role,
    coalesce(sources.is_verified, false) as is_verified,
    case
        when
            attempts.last_outcome in ('ok', 'unchanged')
            and (
                quarantined.quarantined_prices > 0
                or held.held_since >= good.last_good_capture_at
            )
            then 'suspect'
        else coalesce(attempts.last_outcome, 'never_attempted')
    end as last_outcome,
    attempts.last_message,
    attempts.last_attempt_at,
    good.first_good_capture_at,
    good.last_good_capture_at,
    date_diff('day', good.last_good_capture_at, clock.recorded_until) as age_days,
    good.longest_gap_days,
    coalesce(attempts.attempts, 0) as attempts,
    coalesce(good.good_captures, 0) as good_captures,
    coalesce(attempts.failed_attempts, 0) as failed_attempts,
    coalesce(attempts.blocked_attempts, 0) as blocked_attempts,
    coalesce(quotes.quotes, 0) as quotes,
    coalesce(quotes.priced_quotes, 0) as priced_quotes,
    coalesce(quotes.free_quotes, 0) as free_quotes,
    coalesce(quotes.unpriced_quotes, 0) as unpriced_quotes,
    coalesce(quotes.announced_quotes, 0) as announced_quotes,
    coalesce(quarantined.quarantined_prices, 0) as quarantined_prices,
    coalesce(held.held_since >= good.last_good_capture_at, false) as is_held_back,
    coalesce(delisted.delisted_offers, 0) as delisted_offers,
    coalesce(quotes.labels, 0) as labels,
    coalesce(quotes.unmapped_labels, 0) as unmapped_labels,
    coalesce(quotes.unmapped_label_names, []) as unmapped_label_names,
    coalesce(len(quotes.unscored_model_ids), 0) as unscored_models,
    coalesce(quotes.unscored_model_ids, []) as unscored_model_ids
from sources
cross join {{ ref('dim_clock') }} as clock
left join attempts on sources.page_key = attempts.page_key
left join good on sources.page_key = good.page_key
left join quotes on sources.page_key = quotes.page_key
left join held on sources.page_key = held.page_key
left join quarantined on sources.page_key = quarantined.page_key
left join delisted on sources.page_key = delisted.page_key
-- A history of a map that nobody has brought in is not missing.
where coalesce(sources.role, '') <> 'price_history' or attempts.attempts > 0
