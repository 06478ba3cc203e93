{#
    Where two witnesses say different prices of the same thing on the same days, as believed today, and why that may be.
    Every rule for a cause rests on something that one of the two says elsewhere, or on when it was looked at last.
#}
with providers_of_several as (
    {{ providers_of_several(ref('int_seen_claims')) }}
),

claims as (
    select
        *,
        -- What is sold, in whichever tier, context band and region.
        concat_ws('|', provider_id, model_id, coalesce(time_window, ''), meter, series_unit, currency) as thing_key
    from {{ ref('int_seen_claims') }}
    where
        day_from < day_to
        and provider_id in (select providers_of_several.provider_id from providers_of_several)
),

named_claims as (
    {{ claims_of_several('claims') }}
),

pairs as (
    select
        claims.*,
        lesser.page_key as other_page_key,
        lesser.witness_rank as other_witness_rank,
        lesser.is_first_party as other_is_first_party,
        lesser.price_key as other_price_key,
        lesser.model_label as other_model_label,
        lesser.series_price as other_price,
        lesser.price_figure as other_figure,
        lesser.evidence_sha256 as other_evidence_sha256,
        lesser.has_announced_end as other_has_announced_end,
        greatest(claims.day_from, lesser.day_from) as conflict_from,
        least(claims.day_to, lesser.day_to) as conflict_to,
        lesser.seen_until as other_seen_until
    from named_claims as claims
    inner join named_claims as lesser
        on
            claims.subject_key = lesser.subject_key
            and claims.witness_rank < lesser.witness_rank
            and claims.price_figure <> lesser.price_figure
            and claims.day_from < lesser.day_to
            and claims.day_to > lesser.day_from
            and {{ named_alike('claims', 'lesser') }}
),

conflicts as (
    select
        *,
        md5(concat_ws('|', page_key, price_key, other_page_key, other_price_key, conflict_from)) as conflict_id,
        case
            when series_price > 0 and other_price > 0 then cast(other_price as double) / cast(series_price as double)
        end as price_ratio,
        log10(price_ratio) as log_ratio,
        case
            when seen_until <= conflict_from then witness_rank
            when other_seen_until <= conflict_from then other_witness_rank
        end as unseen_rank
    from pairs
),

-- Each side with the price that the other one says.
sides as (
    select
        conflict_id,
        page_key,
        price_key,
        thing_key,
        subject_key,
        service_tier,
        context_from,
        region,
        other_figure as wanted_figure,
        other_witness_rank as other_rank,
        conflict_from,
        conflict_to
    from conflicts
    union all
    select
        conflict_id,
        other_page_key as page_key,
        other_price_key as price_key,
        thing_key,
        subject_key,
        service_tier,
        context_from,
        region,
        price_figure as wanted_figure,
        witness_rank as other_rank,
        conflict_from,
        conflict_to
    from conflicts
),

-- Where else a side says the other one's price.
echoes as (
    select
        sides.conflict_id,
        sides.other_rank,
        claims.price_key = sides.price_key as is_same_price,
        claims.subject_key = sides.subject_key as is_same_subject,
        coalesce(claims.region, '') = coalesce(sides.region, '') as is_same_region,
        claims.service_tier = sides.service_tier
        and coalesce(claims.context_from, 0) = coalesce(sides.context_from, 0) as is_same_tier,
        claims.day_to <= sides.conflict_from as is_past,
        claims.day_to > sides.conflict_from and claims.day_from < sides.conflict_to as is_present,
        claims.has_announced_end
    from sides
    inner join claims
        on
            sides.page_key = claims.page_key
            and sides.thing_key = claims.thing_key
            and sides.wanted_figure = claims.price_figure
),

hints as (
    select
        conflict_id,
        bool_or(is_same_price and has_announced_end) as is_promo,
        -- Who still says what the other one has left; of two that swapped their prices, the lesser witness.
        max(other_rank) filter (where is_same_price and is_past) as stale_rank,
        bool_or(is_present and is_same_subject and not is_same_price) as is_alias,
        bool_or(is_present and is_same_region and not is_same_tier) as is_tier,
        bool_or(is_present and is_same_tier and not is_same_region) as is_region
    from echoes
    group by conflict_id
),

judged as (
    select
        conflicts.*,
        case
            -- Tokens by the thousand taken for tokens by the million, cents for dollars.
            when abs(conflicts.log_ratio) > 1.5 and abs(conflicts.log_ratio - round(conflicts.log_ratio)) < 1e-6
                then 'unit'
            when conflicts.has_announced_end or conflicts.other_has_announced_end or hints.is_promo then 'promo'
            when coalesce(hints.stale_rank, conflicts.unseen_rank) is not null then 'stale'
            when hints.is_alias then 'alias'
            when hints.is_tier then 'tier'
            when hints.is_region then 'region'
            else 'unknown'
        end as likely_cause,
        coalesce(hints.stale_rank, conflicts.unseen_rank) as stale_rank
    from conflicts
    left join hints on conflicts.conflict_id = hints.conflict_id
)

select
    judged.conflict_id,
    judged.offer_id,
    judged.provider_id,
    judged.model_id,
    judged.meter,
    judged.service_tier,
    judged.context_from,
    judged.region,
    judged.time_window,
    judged.currency,
    judged.series_unit as pricing_unit,
    judged.conflict_from as day_from,
    nullif(judged.conflict_to, cast('infinity' as date)) as day_to,
    -- An end in the future is announced, not reached.
    date_diff('day', judged.conflict_from, least(judged.conflict_to, clock.as_of + 1)) as conflict_days,
    judged.page_key,
    judged.is_first_party,
    judged.model_label,
    judged.price_key,
    cast(judged.series_price as decimal(38, 18)) as price,
    judged.other_page_key,
    judged.other_is_first_party,
    judged.other_model_label,
    judged.other_price_key,
    cast(judged.other_price as decimal(38, 18)) as other_price,
    judged.price_ratio,
    judged.likely_cause,
    case
        when judged.likely_cause <> 'stale' then null
        when judged.stale_rank = judged.witness_rank then judged.page_key
        else judged.other_page_key
    end as stale_page_key,
    judged.evidence_sha256,
    judged.other_evidence_sha256
from judged
cross join {{ ref('dim_clock') }} as clock
