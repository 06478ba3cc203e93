-- By how much did the gpt-4 class fall more in the last 365 days than in the 365 before, in natural logarithms?
-- Three input tokens to one output token.
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
    ln(p_year_before / p_now) - ln(p_two_years_before / p_year_before) as observed_low,
    ln(p_year_before / p_now) - ln(p_two_years_before / p_year_before) as observed_high,
    n_evidence,
    printf('%.4g, a year before %.4g, two years before %.4g', p_now, p_year_before, p_two_years_before) as evidence
from prices
