{#
    Spans of blended prices that can be held against each other: standard tier, shortest context band, sold by who runs
    the model (routed prices are other sellers' prices), and not given away.
#}
{% macro comparable_offers() %}
    select blends.*
    from {{ ref('mart_blended_price') }} as blends
    inner join {{ ref('dim_provider') }} as providers on blends.provider_id = providers.provider_id
    where
        providers.provider_kind <> 'aggregator'
        and blends.service_tier = 'standard'
        and coalesce(blends.context_from, 0) = 0
        and blends.usd_per_mtok > 0
{% endmacro %}

{#
    Prices as believed today, but for those in quarantine, of what `to_tell` has the `key` of. The view
    fct_price_history would look at all prices before it left any out.
#}
{% macro trusted_prices(to_tell, key) %}
    select history.*
    from {{ ref('int_price_history') }} as history
    semi join {{ to_tell }} as to_tell on history.{{ key }} = to_tell.{{ key }}
    anti join {{ ref('int_doubtful_prices') }} as doubtful
        on
            history.price_key = doubtful.price_key
            and history.valid_from = doubtful.valid_from
            and history.known_from = doubtful.known_from
            and doubtful.quality = 'quarantined'
    where
        history.known_to is null
        and {{ is_of_provider('history', to_tell) }}
{% endmacro %}
