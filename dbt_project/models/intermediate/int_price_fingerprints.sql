{#
    What the history of a price depends on, in one value: as long as it stands, all that we tell of the price stands,
    but for when its pages were last seen. Exclusive or makes one value of many rows in any order.
#}
with prices as (
    select
        price_key,
        any_value(offer_id) as offer_id,
        any_value(sequence_key) as sequence_key,
        any_value(provider_id) as provider_id,
        any_value(meter) as meter,
        any_value(currency) as currency,
        min(page_key) as first_page_key,
        max(page_key) as last_page_key,
        bit_xor(hash(hash(page_key, witness_fingerprint))) as spells_hash
    from {{ ref('int_witness_fingerprints') }}
    group by price_key
),

-- Who else says the same is told of a price: where a provider has several witnesses, its prices depend on one another.
kin as (
    select
        provider_id,
        meter,
        bit_xor(hash(hash(price_key, spells_hash))) as kin_hash
    from prices
    group by provider_id, meter
    having min(first_page_key) <> max(last_page_key)
),

-- A move is told of the price that came next.
sequences as (
    select
        sequence_key,
        bit_xor(hash(hash(price_key, spells_hash))) as sequence_hash
    from prices
    group by sequence_key
),

covers as (
    select
        provider_id,
        bit_xor(hash(hash(covered_role, cover_from, known_from, known_to))) as cover_hash
    from {{ ref('int_page_cover') }}
    group by provider_id
),

rates as (
    select
        currency,
        bit_xor(hash(hash(rate_date, usd_per_unit))) as rates_hash
    from {{ ref('stg_exchange_rates') }}
    where currency <> 'USD'
    group by currency
),

-- Seeds that change, and what a witness is worth, may change what is told of every price.
ground as (
    select
        (
            select bit_xor(hash(hash(provider_id, page_id, role, source_order, format)))
            from {{ source('raw', 'sources') }}
        ) as sources_hash,
        (
            select bit_xor(hash(hash(provider_id, model_label, model_id, valid_from, valid_to)))
            from {{ ref('model_aliases') }}
        ) as aliases_hash
)

select
    prices.price_key,
    prices.offer_id,
    prices.provider_id,
    hash(
        prices.price_key,
        sequences.sequence_hash,
        kin.kin_hash,
        covers.cover_hash,
        rates.rates_hash,
        ground.sources_hash,
        ground.aliases_hash
    ) as price_fingerprint
from prices
cross join ground
inner join sequences on prices.sequence_key = sequences.sequence_key
left join kin on prices.provider_id = kin.provider_id and prices.meter = kin.meter
left join covers on prices.provider_id = covers.provider_id
left join rates on prices.currency = rates.currency
