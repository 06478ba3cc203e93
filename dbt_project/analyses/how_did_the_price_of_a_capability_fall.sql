-- How did the cheapest offer of each capability class move, who made each step, and how far has the price come?
-- Three input tokens to one output token, all models. `times_cheaper_than_first` counts from the first day on which the
-- class was on sale in this warehouse, not from the day on which it came into the world.
with days as (
    select
        price_date,
        tier_id,
        p_star,
        leader_offer_id,
        leader_provider_id,
        leader_model_id,
        offers,
        lag(p_star) over of_one_tier as p_star_before,
        first(p_star) over of_one_tier as first_p_star,
        max(price_date) over (partition by tier_id) = price_date as is_last_day
    from marts.mart_frontier_price_daily
    where model_group = 'all' and workload_id = 'input_output_3_1' and p_star is not null
    window of_one_tier as (partition by tier_id order by price_date)
)

select
    days.tier_id,
    days.price_date,
    days.p_star as usd_per_mtok,
    100 * (days.p_star / days.p_star_before - 1) as step_percent,
    days.first_p_star / days.p_star as times_cheaper_than_first,
    days.leader_provider_id,
    days.leader_model_id,
    offers.model_label as leader_model_label,
    days.offers,
    days.is_last_day
from days
left join marts.dim_offer as offers on days.leader_offer_id = offers.offer_id
where days.p_star is distinct from days.p_star_before or days.is_last_day
order by days.tier_id, days.price_date
