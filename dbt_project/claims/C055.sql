-- From how many million tokens a day on was a server of one's own cheaper than an API, for Llama 3.3 70B?
-- Two rented H100 for 24 hours, the smallest server on which it was measured, over the price of hosts in February 2026,
-- from the dearest to the cheapest, three input tokens to one output token.
with rents as (
    select arg_max(rent_median, rent_month) as rent
    from marts.mart_gpu_rent
    where gpu = 'H100_SXM' and kind = 'on_demand' and rent_month <= date '2026-02-28'
),

prices as (
    select
        blends.provider_id,
        min(blends.usd_per_mtok) as price
    from marts.mart_blended_price as blends
    inner join marts.dim_provider as providers on blends.provider_id = providers.provider_id
    where
        blends.model_id = 'meta/llama-3.3-70b-instruct'
        and providers.provider_kind <> 'aggregator'
        and blends.workload_id = 'input_output_3_1'
        and blends.service_tier = 'standard'
        and blends.usd_per_mtok > 0
        and blends.day_from <= date '2026-02-28'
        and coalesce(blends.day_to > date '2026-02-01', true)
    group by blends.provider_id
)

select
    2 * 24 * any_value(rents.rent) / max(prices.price) as observed_low,
    2 * 24 * any_value(rents.rent) / min(prices.price) as observed_high,
    count(*) as n_evidence,
    printf(
        '%g a day; hosts at %.3g to %.3g', 2 * 24 * any_value(rents.rent), min(prices.price), max(prices.price)
    ) as evidence
from prices
cross join rents
