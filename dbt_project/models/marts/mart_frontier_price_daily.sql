{# p* at the end of each day, up to the last day that any page was seen. #}
{{ config(materialized='view') }}

with spans as (
    select
        frontier.* exclude (day_to),
        least(coalesce(frontier.day_to - 1, clock.as_of), clock.as_of) as day_to
    from {{ ref('mart_frontier_price') }} as frontier
    cross join {{ ref('dim_clock') }} as clock
    where frontier.day_from <= clock.as_of
),

days as (
    {{ days_of('spans') }}
)

select
    days.price_date,
    spans.tier_id,
    spans.model_group,
    spans.workload_id,
    spans.p_star,
    spans.p_star_with_promos,
    spans.p_star_cummin,
    spans.leader_offer_id,
    spans.leader_provider_id,
    spans.leader_model_id,
    spans.offers
from spans
inner join days on days.price_date between spans.day_from and spans.day_to
