{#
    Every move of a list price, as believed today. A price that another kind of witness begins to report is no move,
    and a correction of our own belief is none either: it lives in known time.
#}
with spells as (
    select
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
    from {{ ref('int_headline_spells') }}
    where known_to is null and series_price is not null and is_doubted is not true
),

-- One line per price over all pages of a provider. A page that begins to print context bands goes on with the band
-- that starts at nothing.
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
    window in_time as (
        partition by
            provider_id,
            model_label,
            service_tier,
            coalesce(context_from, 0),
            region,
            time_window,
            meter,
            pricing_unit,
            currency
        order by valid_from
    )
),

-- The belief in a price may have been renewed when its end became known; the move was news only once.
first_beliefs as (
    select
        price_key,
        valid_from,
        series_price,
        min(known_from) as first_known_at
    from {{ ref('int_headline_spells') }}
    group by price_key, valid_from, series_price
),

identified as (
    select
        sequences.*,
        first_beliefs.first_known_at,
        history.model_id,
        history.quality
    from sequences
    inner join first_beliefs
        on
            sequences.price_key = first_beliefs.price_key
            and sequences.valid_from = first_beliefs.valid_from
            and sequences.price = first_beliefs.series_price
    inner join {{ ref('fct_price_history') }} as history
        on
            sequences.price_key = history.price_key
            and sequences.valid_from = history.valid_from
            and history.known_to is null
)

select
    md5(price_key || '|' || cast(valid_from as varchar)) as change_id,
    valid_from as changed_at,
    date_precision,
    first_known_at,
    offer_id,
    provider_id,
    model_id,
    model_label,
    meter,
    service_tier,
    context_from,
    context_to,
    region,
    time_window,
    currency,
    pricing_unit,
    cast(old_price as decimal(38, 18)) as old_price,
    cast(price as decimal(38, 18)) as new_price,
    case when price < old_price then 'cut' else 'rise' end as direction,
    case
        when price > 0 and old_price > 0 then ln(cast(price as double) / cast(old_price as double))
    end as ln_step,
    case
        when old_price > 0 then 100 * (cast(price as double) / cast(old_price as double) - 1)
    end as change_percent,
    date_diff('day', old_valid_from, valid_from) as old_price_age_days,
    date_diff('day', old_valid_to, valid_from) as days_not_listed,
    coalesce(ended_by = 'announced_end', false)
    or coalesce(valid_to < valid_from + interval 30 day and ended_by = 'price_change', false) as is_promo,
    coalesce(price = price_before_old, false) as is_revert,
    quality,
    old_evidence_sha256,
    evidence_sha256
from identified
where old_price <> price and old_outside_map is not distinct from outside_map and old_valid_to <= valid_from
