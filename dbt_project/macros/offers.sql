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
