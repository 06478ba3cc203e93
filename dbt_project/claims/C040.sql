-- What did a million tokens of open models of at least the gpt-4 class cost in January 2025?
-- From the cheapest to the median offer, three input tokens to one output token.
select
    min(blends.usd_per_mtok) as observed_low,
    median(blends.usd_per_mtok) as observed_high,
    count(*) as n_evidence,
    string_agg(
        printf('%s at %s %.3g', blends.model_id, blends.provider_id, blends.usd_per_mtok), '; '
        order by blends.usd_per_mtok, blends.offer_id
    ) as evidence
from marts.mart_blended_price as blends
inner join marts.dim_provider as providers on blends.provider_id = providers.provider_id
inner join marts.dim_model as models on blends.model_id = models.model_id
where
    models.open_weights
    and models.capability_eci >= 126
    and providers.provider_kind <> 'aggregator'
    and blends.workload_id = 'input_output_3_1'
    and blends.service_tier = 'standard'
    and coalesce(blends.context_from, 0) = 0
    and not blends.is_promo
    and blends.usd_per_mtok > 0
    and blends.day_from <= date '2025-01-15'
    and coalesce(blends.day_to > date '2025-01-15', true)
