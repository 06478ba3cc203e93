{#
    Every move of a list price, as believed today. A price that another kind of witness begins to report is no move,
    and a correction of our own belief is none either: it lives in known time.
#}
{{ config(
    materialized='incremental',
    pre_hook="{{ drop_outdated('int_price_fingerprints', ['price_fingerprint']) }}"
) }}

with prices_to_tell as (
    {{ to_tell('int_price_fingerprints', ['price_fingerprint']) }}
),

headline_spells as (
    select
        spells.*,
        {{ sequence_key('spells') }} as sequence_key
    from {{ ref('int_headline_spells') }} as spells
    inner join prices_to_tell as prices on spells.price_key = prices.price_key
    where {{ is_of_provider('spells', 'prices_to_tell') }}
),

spells as (
    select
        sequence_key,
        offer_id,
        price_key,
        provider_id,
        model_label,
        meter,
        service_tier,
        context_from,
        context_to,
        region,
        time_window,
        currency,
        series_unit as pricing_unit,
        series_price as price,
        valid_from,
        valid_to,
        ended_by,
        date_precision,
        -- Pages of a provider go on where another one ended; the maps of others do not.
        case when source_kind = 'price_map' then split_part(page_key, '/', 1) end as outside_map,
        evidence_sha256
    from headline_spells
    where known_to is null and series_price is not null and is_doubted is not true
),

sequences as (
    select
        *,
        lag(price) over in_time as old_price,
        lag(valid_from) over in_time as old_valid_from,
        lag(valid_to) over in_time as old_valid_to,
        lag(evidence_sha256) over in_time as old_evidence_sha256,
        lag(outside_map) over in_time as old_outside_map,
        lag(price, 2) over in_time as price_before_old
    from spells
    window in_time as (partition by sequence_key order by valid_from, valid_to, price_key)
),

-- The belief in a price may have been renewed when its end became known; the move was news only once.
first_beliefs as (
    select
        price_key,
        valid_from,
        series_price,
        min(known_from) as first_known_at
    from headline_spells
    group by price_key, valid_from, series_price
),

moves as (
    select
        sequences.*,
        first_beliefs.first_known_at
    from sequences
    inner join first_beliefs
        on
            sequences.price_key = first_beliefs.price_key
            and sequences.valid_from = first_beliefs.valid_from
            and sequences.price = first_beliefs.series_price
    where
        sequences.old_price <> sequences.price
        and sequences.old_outside_map is not distinct from sequences.outside_map
        and sequences.old_valid_to <= sequences.valid_from
)

-- Most prices have never moved: a row without a time says that this has been told. Without it such a price would be
-- told again, and without those that it is compared with.
select
    md5(moves.price_key || '|' || cast(moves.valid_from as varchar)) as change_id,
    prices.price_key,
    prices.price_fingerprint,
    moves.valid_from as changed_at,
    moves.date_precision,
    moves.first_known_at,
    moves.offer_id,
    moves.provider_id,
    moves.model_label,
    moves.meter,
    moves.service_tier,
    moves.context_from,
    moves.context_to,
    moves.region,
    moves.time_window,
    moves.currency,
    moves.pricing_unit,
    cast(moves.old_price as decimal(38, 18)) as old_price,
    cast(moves.price as decimal(38, 18)) as new_price,
    case when moves.price < moves.old_price then 'cut' when moves.price > moves.old_price then 'rise' end as direction,
    case
        when moves.price > 0 and moves.old_price > 0
            then ln(cast(moves.price as double) / cast(moves.old_price as double))
    end as ln_step,
    case
        when moves.old_price > 0
            then 100 * (cast(moves.price as double) / cast(moves.old_price as double) - 1)
    end as change_percent,
    date_diff('day', moves.old_valid_from, moves.valid_from) as old_price_age_days,
    date_diff('day', moves.old_valid_to, moves.valid_from) as days_not_listed,
    coalesce(moves.ended_by = 'announced_end', false)
    or coalesce(
        moves.valid_to < moves.valid_from + interval 30 day and moves.ended_by = 'price_change', false
    ) as is_promo,
    coalesce(moves.price = moves.price_before_old, false) as is_revert,
    moves.old_evidence_sha256,
    moves.evidence_sha256
from prices_to_tell as prices
left join moves on prices.price_key = moves.price_key
