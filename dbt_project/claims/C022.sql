-- What does a million tokens of the gpt-4 class cost now, and at the end of 2027?
-- From input to output tokens, carried on to the end of the forecast at the rate of the last 365 days.
with prices as (
    select
        frontier.workload_id,
        arg_max(frontier.p_star, frontier.price_date) as p_now,
        arg_max(frontier.p_star, frontier.price_date) filter (
            where frontier.price_date <= clock.as_of - 365
        ) as p_year_before,
        greatest(0, date '2027-12-31' - any_value(clock.as_of)) / 365 as years_left,
        printf(
            '%s at %s', arg_max(frontier.leader_model_id, frontier.price_date),
            arg_max(frontier.leader_provider_id, frontier.price_date)
        ) as leader
    from marts.mart_frontier_price_daily as frontier
    cross join marts.dim_clock as clock
    where
        frontier.tier_id = 'eci-gpt-4'
        and frontier.model_group = 'all'
        and frontier.workload_id in ('input_only', 'output_only')
        and frontier.p_star is not null
        and frontier.price_date <= date '2027-12-31'
    group by frontier.workload_id
)

select
    min(p_now) as observed_low,
    max(p_now) as observed_high,
    min(p_now * pow(p_now / p_year_before, years_left)) as projected_low,
    max(p_now * pow(p_now / p_year_before, years_left)) as projected_high,
    count(*) as n_evidence,
    string_agg(printf('%s: %s', workload_id, leader), '; ' order by workload_id) as evidence
from prices
