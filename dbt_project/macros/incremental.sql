{#
    The prices that a model tells by price has to tell again: those that it told by another fingerprint, or not at all.
    Such a model has the two columns and `unique_key='price_key'`, and drops what is outdated when it is built.
#}
{% macro prices_to_tell() %}
    select
        prices.price_key,
        prices.price_fingerprint
    from {{ ref('int_price_fingerprints') }} as prices
    {% if is_incremental() %}
        anti join {{ this }} as built
            on prices.price_key = built.price_key and prices.price_fingerprint = built.price_fingerprint
    {% endif %}
{% endmacro %}

{# Prices of which nothing is left to tell have no new rows that would replace the old ones. #}
{% macro drop_outdated_prices() %}
    delete from {{ this }} as built
    where not exists (
        from {{ ref('int_price_fingerprints') }} as prices
        where prices.price_key = built.price_key and prices.price_fingerprint = built.price_fingerprint
    )
{% endmacro %}
