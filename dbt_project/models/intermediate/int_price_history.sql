{#
    The price history, but for what depends on when its pages were last seen, which changes every day. Only prices are
    told again on which something new has come up.
#}
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

-- A label that a provider re-points stands for one model after another; its spells are cut where that happens.
cuts as (
    select
        spells.price_key,
        spells.page_key,
        spells.valid_from as spell_from,
        spells.known_from,
        list_sort(list_distinct(list_concat(
            [spells.valid_from],
            coalesce(list(cast(aliases.valid_from as timestamp)) filter (
                where aliases.valid_from > spells.valid_from
                and aliases.valid_from < coalesce(spells.valid_to, cast('infinity' as timestamp))
            ), []),
            coalesce(list(cast(aliases.valid_to as timestamp)) filter (
                where aliases.valid_to > spells.valid_from
                and aliases.valid_to < coalesce(spells.valid_to, cast('infinity' as timestamp))
            ), [])
        ))) as piece_starts
    from headline_spells as spells
    left join {{ ref('model_aliases') }} as aliases
        on spells.provider_id = aliases.provider_id and spells.model_label = aliases.model_label
    group by spells.price_key, spells.page_key, spells.valid_from, spells.known_from, spells.valid_to
),

cut_spells as (
    select
        price_key,
        page_key,
        spell_from,
        known_from,
        unnest(piece_starts) as piece_from,
        unnest(list_concat(piece_starts[2:], [null])) as next_piece_from
    from cuts
),

pieces as (
    select
        spells.* exclude (valid_from, valid_to, ended_by),
        spells.valid_from as spell_from,
        cut_spells.piece_from as valid_from,
        coalesce(cut_spells.next_piece_from, spells.valid_to) as valid_to,
        case when cut_spells.next_piece_from is not null then 'model_repointed' else spells.ended_by end as ended_by
    from headline_spells as spells
    inner join cut_spells
        on
            spells.price_key = cut_spells.price_key
            and spells.page_key = cut_spells.page_key
            and spells.valid_from = cut_spells.spell_from
            and spells.known_from = cut_spells.known_from
),

identified as (
    select
        pieces.*,
        coalesce(aliases.model_id, pieces.provider_id || ':' || pieces.model_label) as model_id,
        aliases.model_id is not null as is_mapped,
        coalesce(pieces.valid_to, cast('infinity' as timestamp)) as ends_before
    from pieces
    left join {{ ref('model_aliases') }} as aliases
        on
            pieces.provider_id = aliases.provider_id
            and pieces.model_label = aliases.model_label
            and pieces.valid_from >= coalesce(cast(aliases.valid_from as timestamp), cast('-infinity' as timestamp))
            and pieces.valid_from < coalesce(cast(aliases.valid_to as timestamp), cast('infinity' as timestamp))
),

-- The price that we believed came before, to tell a move from a misreading.
previous_prices as (
    select
        spells.price_key,
        spells.page_key,
        spells.valid_from,
        spells.known_from,
        max(previous.series_price) as previous_price
    from headline_spells as spells
    inner join headline_spells as previous
        on
            spells.price_key = previous.price_key
            and spells.page_key = previous.page_key
            and spells.valid_from = previous.valid_to
            and spells.known_from >= previous.known_from
            and spells.known_from < coalesce(previous.known_to, cast('infinity' as timestamp))
    group by spells.price_key, spells.page_key, spells.valid_from, spells.known_from
),

-- Who else says the same, by all that is known today.
confirmed as (
    select
        spells.price_key,
        spells.page_key,
        spells.valid_from,
        spells.known_from,
        count(distinct claims.page_key) as other_witnesses
    from identified as spells
    inner join {{ ref('int_price_claims') }} as claims
        on
            {{ subject_key('spells') }} = claims.subject_key
            and {{ price_figure('spells.series_price') }} = claims.price_figure
            and spells.page_key <> claims.page_key
            and spells.valid_from < claims.valid_until
            and spells.ends_before > claims.valid_from
    where {{ is_of_provider('claims', 'prices_to_tell') }}
    group by spells.price_key, spells.page_key, spells.valid_from, spells.known_from
),

-- Prices in other currencies, at the last rate before them.
converted as (
    select
        spells.price_key,
        spells.page_key,
        spells.valid_from,
        spells.known_from,
        cast(cast(spells.series_price as decimal(20, 8)) * rates.usd_per_unit as decimal(38, 18)) as usd_per_mtok,
        rates.rate_date
    from identified as spells
    asof inner join {{ ref('stg_exchange_rates') }} as rates
        on spells.currency = rates.currency and cast(spells.valid_from as date) >= rates.rate_date
    where spells.currency <> 'USD' and spells.series_unit = '1M tokens'
),

-- A belief that was withdrawn, not merely given an end: nothing succeeded it at the same start and price.
withdrawn as (
    select
        spells.price_key,
        spells.page_key,
        spells.valid_from,
        spells.known_from
    from headline_spells as spells
    anti join headline_spells as successors
        on
            spells.price_key = successors.price_key
            and spells.valid_from = successors.valid_from
            and spells.known_to = successors.known_from
            and spells.series_price is not distinct from successors.series_price
    where spells.known_to is not null
)

select
    spells.offer_id,
    spells.price_key,
    spells.price_fingerprint,
    spells.provider_id,
    spells.model_id,
    spells.model_label,
    spells.is_mapped,
    spells.meter,
    spells.service_tier,
    spells.context_from,
    spells.context_to,
    spells.region,
    spells.time_window,
    spells.list_unit_price,
    spells.pricing_unit,
    spells.currency,
    spells.usd_per_mtok,
    converted.usd_per_mtok as usd_per_mtok_converted,
    converted.rate_date as exchange_rate_date,
    spells.spell_from,
    spells.valid_from,
    spells.valid_to,
    spells.ended_by,
    spells.date_precision,
    spells.known_from,
    spells.known_to,
    spells.page_key,
    spells.source_kind,
    coalesce(confirmed.other_witnesses, 0) as other_witnesses,
    withdrawn.price_key is not null as is_withdrawn,
    spells.is_doubted,
    -- The past of a map has been weighed as a whole.
    coalesce(
        coalesce(spells.role, '') <> 'price_history'
        and previous_prices.previous_price > 0
        and spells.series_price > 0
        and greatest(
            cast(spells.series_price as double) / cast(previous_prices.previous_price as double),
            cast(previous_prices.previous_price as double) / cast(spells.series_price as double)
        ) > 10,
        false
    ) as is_leap,
    spells.evidence_sha256,
    spells.evidence,
    spells.locator
from identified as spells
left join withdrawn
    on
        spells.price_key = withdrawn.price_key
        and spells.page_key = withdrawn.page_key
        and spells.spell_from = withdrawn.valid_from
        and spells.known_from = withdrawn.known_from
left join confirmed
    on
        spells.price_key = confirmed.price_key
        and spells.page_key = confirmed.page_key
        and spells.valid_from = confirmed.valid_from
        and spells.known_from = confirmed.known_from
left join previous_prices
    on
        spells.price_key = previous_prices.price_key
        and spells.page_key = previous_prices.page_key
        and spells.spell_from = previous_prices.valid_from
        and spells.known_from = previous_prices.known_from
left join converted
    on
        spells.price_key = converted.price_key
        and spells.page_key = converted.page_key
        and spells.valid_from = converted.valid_from
        and spells.known_from = converted.known_from
{{ together() }}
