-- What does a million tokens of a dense open model of 70B cost now, where it is cheapest, from input to output tokens?
with offers as (
    select
        blends.workload_id,
        blends.usd_per_mtok as price,
        blends.model_id || ' at ' || blends.provider_id as offer
    from marts.mart_blended_price as blends
    inner join marts.dim_provider as providers on blends.provider_id = providers.provider_id
    inner join marts.dim_model as models on blends.model_id = models.model_id
    cross join marts.dim_clock as clock
    where
        models.size_class = '70B'
        and providers.provider_kind <> 'aggregator'
        and blends.workload_id in ('input_only', 'output_only')
        and blends.service_tier = 'standard'
        and not blends.is_promo
        and blends.usd_per_mtok > 0
        and blends.day_from <= clock.as_of
        and coalesce(blends.day_to > clock.as_of, true)
        and clock.as_of >= date '2026-02-01'
)

select
    min(price) filter (where workload_id = 'input_only') as observed_low,
    min(price) filter (where workload_id = 'output_only') as observed_high,
    count(*) as n_evidence,
    printf(
        '%s, %s',
        arg_min(offer, (price, offer)) filter (where workload_id = 'input_only'),
        arg_min(offer, (price, offer)) filter (where workload_id = 'output_only')
    ) as evidence
from offers
