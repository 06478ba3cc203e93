{#
    p* = the lowest blended price at which a model of at least a given capability, or of a size class, was on sale.
    Not a running minimum.
#}
with members as (
    select
        tiers.tier_id,
        scores.model_id
    from {{ ref('capability_tiers') }} as tiers
    inner join {{ ref('capability_scores') }} as scores
        on tiers.benchmark = scores.benchmark and tiers.threshold <= scores.score
    union all
    select
        tiers.tier_id,
        models.model_id
    from {{ ref('capability_tiers') }} as tiers
    inner join {{ ref('dim_model') }} as models on tiers.size_class = models.size_class
),

offers as (
    {{ comparable_offers() }}
),

contenders as (
    select
        members.tier_id,
        model_groups.model_group,
        offers.*
    from offers
    inner join {{ ref('dim_model') }} as models on offers.model_id = models.model_id
    inner join members on models.model_id = members.model_id
    -- Token counts of reasoning models differ, so they also have a series of their own.
    cross join unnest(['all', 'reasoning', 'non_reasoning']) as model_groups (model_group)
    where
        model_groups.model_group = 'all'
        or models.reasoning = (model_groups.model_group = 'reasoning')
),

edges as (
    select
        tier_id,
        model_group,
        workload_id,
        day_from as edge
    from contenders
    union distinct
    select
        tier_id,
        model_group,
        workload_id,
        day_to as edge
    from contenders
    where day_to is not null
),

leaders as (
    select
        edges.tier_id,
        edges.model_group,
        edges.workload_id,
        edges.edge as day_from,
        lead(edges.edge) over (
            partition by edges.tier_id, edges.model_group, edges.workload_id order by edges.edge
        ) as day_to,
        min(contenders.usd_per_mtok) filter (where not contenders.is_promo) as p_star,
        min(contenders.usd_per_mtok) as p_star_with_promos,
        -- With its model of that time: a label may stand for another one today.
        arg_min(
            {
                'offer_id': contenders.offer_id,
                'provider_id': contenders.provider_id,
                'model_id': contenders.model_id
            },
            (contenders.usd_per_mtok, contenders.offer_id)
        ) filter (where not contenders.is_promo) as leader,
        count(contenders.offer_id) as offers
    from edges
    left join contenders
        on
            edges.tier_id = contenders.tier_id
            and edges.model_group = contenders.model_group
            and edges.workload_id = contenders.workload_id
            and edges.edge >= contenders.day_from
            and edges.edge < coalesce(contenders.day_to, cast('infinity' as date))
    group by edges.tier_id, edges.model_group, edges.workload_id, edges.edge
)

select
    leaders.tier_id,
    leaders.model_group,
    leaders.workload_id,
    leaders.day_from,
    leaders.day_to,
    leaders.p_star,
    leaders.p_star_with_promos,
    min(leaders.p_star) over (
        partition by leaders.tier_id, leaders.model_group, leaders.workload_id order by leaders.day_from
    ) as p_star_cummin,
    leaders.leader.offer_id as leader_offer_id,
    leaders.leader.provider_id as leader_provider_id,
    leaders.leader.model_id as leader_model_id,
    leaders.offers
from leaders
where leaders.offers > 0
