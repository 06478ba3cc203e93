{#
    How far each witness can be trusted, as believed today. Compared are only days on which both were looked at: up to
    its last good capture a witness has said what it says, after that nobody knows.
#}
with providers_of_several as (
    {{ providers_of_several(ref('int_seen_claims')) }}
),

seen_claims as (
    select * from {{ ref('int_seen_claims') }}
    where
        day_from < seen_until
        and provider_id in (select providers_of_several.provider_id from providers_of_several)
),

-- What no other witness speaks of is compared with nothing.
claims as (
    {{ claims_of_several('seen_claims') }}
),

listed as (
    select
        page_key,
        any_value(is_first_party) as is_first_party,
        count(distinct price_key) as prices,
        min(day_from) as first_listed_on,
        max(seen_until) - 1 as last_seen_on,
        cast(sum(span_days) as bigint) as days_listed
    -- Where two questions have the same condition, DuckDB holds its rows in memory with all columns of both.
    from (
        select
            *,
            date_diff('day', day_from, seen_until) as span_days
        from {{ ref('int_seen_claims') }}
    ) as spans
    where span_days > 0
    group by page_key
),

-- A witness beside the seller's own pages, itself left out.
pairs as (
    select
        claims.page_key,
        claims.price_key,
        evidence.witness_rank,
        evidence.price_key as evidence_key,
        claims.price_figure = evidence.price_figure as agrees,
        greatest(claims.day_from, evidence.day_from) as day_from,
        least(claims.seen_until, evidence.seen_until) as day_to
    from claims
    inner join claims as evidence
        on
            claims.subject_key = evidence.subject_key
            and claims.page_key <> evidence.page_key
            and claims.day_from < evidence.seen_until
            and claims.seen_until > evidence.day_from
            and {{ named_alike('claims', 'evidence') }}
    where evidence.is_first_party
),

edges as (
    select
        page_key,
        price_key,
        unnest([day_from, day_to]) as edge
    from pairs
),

spans as (
    select
        page_key,
        price_key,
        edge as day_from,
        lead(edge) over (partition by page_key, price_key order by edge) as day_to
    from (select distinct * from edges) as distinct_edges
),

-- Every day once: where several of the seller's pages speak, the best of them is the evidence.
compared as (
    select
        spans.page_key,
        spans.price_key,
        spans.day_from,
        date_diff('day', spans.day_from, any_value(spans.day_to)) as span_days,
        arg_min(pairs.agrees, (pairs.witness_rank, pairs.evidence_key)) as agrees
    from spans
    inner join pairs
        on
            spans.page_key = pairs.page_key
            and spans.price_key = pairs.price_key
            and spans.day_from >= pairs.day_from
            and spans.day_to <= pairs.day_to
    group by spans.page_key, spans.price_key, spans.day_from
),

agreement as (
    select
        page_key,
        cast(sum(span_days) as bigint) as days_compared,
        cast(coalesce(sum(span_days) filter (where agrees), 0) as bigint) as days_in_agreement
    from compared
    group by page_key
),

-- When the best of the seller's pages that says a price in two versions moved from one to the other.
own_moves as (
    select
        subject_key,
        page_key,
        witness_rank,
        label_name,
        label_names,
        price_figure,
        lag(day_from) over in_time as left_price_from,
        day_from as moved_on
    from claims
    where is_first_party
    window in_time as (partition by page_key, price_key order by valid_from)
    qualify
        lag(price_figure) over in_time <> price_figure
        and lag(day_to) over in_time = day_from
),

-- Only a witness that had said something of the price before the move, and was looked at afterwards, can lag behind.
-- One that had said the new price since before the page said the old one saw neither move.
followers as (
    select
        moves.subject_key,
        moves.moved_on,
        moves.price_figure,
        moves.page_key as moved_page_key,
        moves.witness_rank,
        claims.page_key,
        claims.price_key,
        min(claims.day_from) filter (
            where claims.price_figure = moves.price_figure and claims.day_to > moves.moved_on
        ) as followed_on,
        moves.left_price_from
    from own_moves as moves
    inner join claims
        on
            moves.subject_key = claims.subject_key
            and moves.page_key <> claims.page_key
            and {{ named_alike('moves', 'claims') }}
    group by all
    having
        max(claims.seen_until) > moves.moved_on
        and min(claims.day_from) < least(moves.moved_on, coalesce(followed_on, moves.moved_on))
        and coalesce(followed_on > moves.left_price_from, true)
),

-- One move that several of the seller's pages show is one.
lags as (
    select
        page_key,
        price_key,
        date_diff('day', moved_on, followed_on) as lag_days
    from followers
    qualify
        witness_rank = min(witness_rank) over (partition by page_key, price_key, price_figure)
),

lag_of_witness as (
    select
        page_key,
        count(*) as changes,
        count(lag_days) as changes_followed,
        -- A change that was not followed yet lies behind all that were.
        cast(quantile_disc(coalesce(lag_days, 9223372036854775807), 0.5) as bigint) as median_lag_days
    from lags
    group by page_key
)

select
    listed.page_key,
    listed.is_first_party,
    listed.prices,
    listed.first_listed_on,
    listed.last_seen_on,
    listed.days_listed,
    coalesce(agreement.days_compared, 0) as days_compared,
    agreement.days_in_agreement,
    cast(agreement.days_in_agreement as double) / agreement.days_compared as agreement_share,
    coalesce(lag_of_witness.changes, 0) as first_party_changes,
    coalesce(lag_of_witness.changes_followed, 0) as changes_followed,
    nullif(lag_of_witness.median_lag_days, 9223372036854775807) as median_lag_days
from listed
left join agreement on listed.page_key = agreement.page_key
left join lag_of_witness on listed.page_key = lag_of_witness.page_key
