-- How many providers sold models of at least the gpt-4 class, on the first day that is known of 2023 and in early 2026?
with offers as (
    select
        blends.provider_id,
        blends.day_from,
        clock.as_of >= date '2026-01-01' and coalesce(blends.day_to > date '2026-01-01', true) as is_of_2026,
        min(blends.day_from) over () as first_day
    from marts.mart_blended_price as blends
    inner join marts.dim_provider as providers on blends.provider_id = providers.provider_id
    inner join marts.dim_model as models on blends.model_id = models.model_id
    cross join marts.dim_clock as clock
    where
        models.capability_eci >= 126
        and providers.provider_kind <> 'aggregator'
        and blends.workload_id = 'input_output_3_1'
        and blends.service_tier = 'standard'
        and blends.usd_per_mtok > 0
        and blends.day_from <= date '2026-03-31'
)

select
    count(distinct provider_id) filter (where day_from = first_day) as observed_low,
    count(distinct provider_id) filter (where is_of_2026) as observed_high,
    -- Growth since 2023 needs a day of 2023.
    if(min(first_day) < date '2024-01-01', count(*), 0) as n_evidence,
    min(first_day) as observed_from,
    string_agg(distinct provider_id, ', ' order by provider_id) filter (where is_of_2026) as evidence
from offers
