{# What the blended prices of an offer depend on, in one value, and what all of its provider's prices depend on. #}
with quarantined as (
    select
        price_key,
        bit_xor(hash(hash(valid_from, known_from))) as quarantine_hash
    from {{ ref('int_doubtful_prices') }}
    where quality = 'quarantined'
    group by price_key
),

offers as (
    select
        prices.offer_id,
        any_value(prices.provider_id) as provider_id,
        bit_xor(
            hash(hash(prices.price_key, prices.price_fingerprint, quarantined.quarantine_hash))
        ) as offer_fingerprint
    from {{ ref('int_price_fingerprints') }} as prices
    left join quarantined on prices.price_key = quarantined.price_key
    group by prices.offer_id
)

select
    *,
    hash(provider_id, bit_xor(hash(offer_fingerprint)) over (partition by provider_id)) as provider_fingerprint
from offers
