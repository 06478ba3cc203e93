{# What the blended prices of an offer depend on, in one value. #}
with quarantined as (
    select
        price_key,
        bit_xor(hash(hash(valid_from, known_from))) as quarantine_hash
    from {{ ref('int_doubtful_prices') }}
    where quality = 'quarantined'
    group by price_key
)

select
    prices.offer_id,
    bit_xor(hash(hash(prices.price_key, prices.price_fingerprint, quarantined.quarantine_hash))) as offer_fingerprint
from {{ ref('int_price_fingerprints') }} as prices
left join quarantined on prices.price_key = quarantined.price_key
group by prices.offer_id
