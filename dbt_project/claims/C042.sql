-- By what factor a year did the gpt-4 class become cheaper from March 2024 to February 2026, three input tokens to one?
-- The ends of that time if it has at least 90 days, and the 90 % interval of the rate since prices are known.
with ends as (
    select
        ln(arg_min(p_star, price_date) / arg_max(p_star, price_date)) as ln_fall,
        max(price_date) - min(price_date) as n_days,
        count(*) as n_evidence,
        min(price_date) as observed_from,
        max(price_date) as observed_to
    from marts.mart_frontier_price_daily
    where
        tier_id = 'eci-gpt-4'
        and model_group = 'all'
        and workload_id = 'input_output_3_1'
        and p_star is not null
        and price_date between date '2024-03-01' and date '2026-02-28'
)

select
    if(ends.n_days >= 90, exp(ends.ln_fall * 365 / ends.n_days), null) as observed_low,
    if(ends.n_days >= 90, exp(ends.ln_fall * 365 / ends.n_days), null) as observed_high,
    ends.n_evidence,
    ends.observed_from,
    ends.observed_to,
    exp(least(rates.lo90, 700)) as interval_low,
    exp(least(rates.hi90, 700)) as interval_high,
    printf('%d price changes of the gpt-4 class since prices are known', rates.n_events) as evidence
from ends
left join analytics.decline_rates as rates
    on
        rates.series_kind = 'capability_tier'
        and rates.series_id = 'eci-gpt-4'
        and rates.workload = 'input_output_3_1'
        and rates.method = 'asof_endpoint'
        and rates.window_days is null
