-- What did a million tokens of the gpt-4 class cost in March 2025, at the cheapest and at the third cheapest provider?
-- From input tokens at the cheapest to output tokens at the third: "several providers" are three.
with providers as (
    select
        blends.workload_id,
        blends.provider_id,
        min(blends.usd_per_mtok) as price
    from marts.mart_blended_price as blends
    inner join marts.dim_provider as providers on blends.provider_id = providers.provider_id
    inner join marts.dim_model as models on blends.model_id = models.model_id
    where
        models.capability_eci >= 126
        and providers.provider_kind <> 'aggregator'
        and blends.service_tier = 'standard'
        and coalesce(blends.context_from, 0) = 0
        and not blends.is_promo
        and blends.usd_per_mtok > 0
        and blends.day_from <= date '2025-03-15'
        and coalesce(blends.day_to > date '2025-03-15', true)
    group by blends.workload_id, blends.provider_id
)

select
    min(price) filter (where workload_id = 'input_only') as observed_low,
    list_sort(list(price) filter (where workload_id = 'output_only'))[3] as observed_high,
    count(distinct provider_id) as n_evidence,
    string_agg(distinct provider_id, ', ' order by provider_id) as evidence
from providers
