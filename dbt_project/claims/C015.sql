-- By what factor did a capability become cheaper since February 2026?
-- The capability tiers of one index, three input tokens to one output token; the median tier. It is carried on to the
-- end of the forecast at the rate of the last 365 days.
with tiers as (
    select
        frontier.tier_id,
        arg_min(frontier.p_star, frontier.price_date) filter (
            where frontier.price_date between date '2026-02-01' and date '2026-02-28'
        ) as p_from,
        arg_max(frontier.p_star, frontier.price_date) as p_now,
        arg_max(frontier.p_star, frontier.price_date) filter (
            where frontier.price_date <= clock.as_of - 365
        ) as p_year_before,
        greatest(0, date '2027-12-31' - any_value(clock.as_of)) / 365 as years_left
    from marts.mart_frontier_price_daily as frontier
    cross join marts.dim_clock as clock
    where
        frontier.tier_id like 'eci-%'
        and frontier.model_group = 'all'
        and frontier.workload_id = 'input_output_3_1'
        and frontier.p_star is not null
        and frontier.price_date <= date '2027-12-31'
    group by frontier.tier_id
),

falls as (
    select
        tier_id,
        ln(p_from / p_now) as ln_fall,
        ln(p_from / p_now) + ln(p_year_before / p_now) * years_left as ln_fall_at_the_end
    from tiers
    where p_from is not null
)

select
    exp(median(ln_fall)) as observed_low,
    exp(median(ln_fall)) as observed_high,
    exp(median(ln_fall_at_the_end)) as projected_low,
    exp(median(ln_fall_at_the_end)) as projected_high,
    count(*) as n_evidence,
    string_agg(printf('%s %.3gx', tier_id, exp(ln_fall)), ', ' order by tier_id) as evidence
from falls
