-- Does the price of the gpt-4 class fall as fast in the last 365 days as in the 365 before, as a ratio of log rates?
with prices as (
    select
        arg_max(frontier.p_star, frontier.price_date) as p_now,
        arg_max(frontier.p_star, frontier.price_date) filter (
            where frontier.price_date <= clock.as_of - 365
        ) as p_year_before,
        arg_max(frontier.p_star, frontier.price_date) filter (
            where frontier.price_date <= clock.as_of - 730
        ) as p_two_years_before,
        count(*) as n_evidence
    from marts.mart_frontier_price_daily as frontier
    cross join marts.dim_clock as clock
    where
        frontier.tier_id = 'eci-gpt-4'
        and frontier.model_group = 'all'
        and frontier.workload_id = 'input_output_3_1'
        and frontier.p_star is not null
        and clock.as_of >= date '2025-01-01'
)

select
    ln(p_year_before / p_now) / nullif(ln(p_two_years_before / p_year_before), 0) as observed_low,
    ln(p_year_before / p_now) / nullif(ln(p_two_years_before / p_year_before), 0) as observed_high,
    n_evidence,
    printf('%.4g, a year before %.4g, two years before %.4g', p_now, p_year_before, p_two_years_before) as evidence
from prices
