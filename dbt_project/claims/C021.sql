-- How many providers sold models of at least the gpt-4 class in early 2026: developers of their own models, and all?
with sellers as (
    select distinct
        blends.provider_id,
        providers.provider_kind
    from marts.mart_blended_price as blends
    inner join marts.dim_provider as providers on blends.provider_id = providers.provider_id
    inner join marts.dim_model as models on blends.model_id = models.model_id
    where
        models.capability_eci >= 126
        and providers.provider_kind <> 'aggregator'
        and blends.workload_id = 'input_output_3_1'
        and blends.service_tier = 'standard'
        and blends.usd_per_mtok > 0
        and blends.day_from <= date '2026-03-31'
        and coalesce(blends.day_to > date '2026-01-01', true)
)

select
    count(*) filter (where provider_kind = 'first_party') as observed_low,
    count(*) as observed_high,
    count(*) as n_evidence,
    string_agg(provider_id, ', ' order by provider_id) as evidence
from sellers
