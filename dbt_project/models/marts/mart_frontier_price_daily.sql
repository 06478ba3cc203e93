{#
    p*(day) = the lowest blended price at which a model of at least a given capability was on sale that day: standard
    tier, shortest context band, first-party and host prices (routed prices never mix in). Not a running minimum.
#}
with contenders as (
    select
        tiers.tier_id,
        model_groups.model_group,
        blends.*
    from {{ ref('mart_blended_price') }} as blends
    inner join {{ ref('dim_provider') }} as providers on blends.provider_id = providers.provider_id
    inner join {{ ref('dim_model') }} as models on blends.model_id = models.model_id
    inner join {{ ref('capability_scores') }} as scores on models.model_id = scores.model_id
    inner join {{ ref('capability_tiers') }} as tiers
        on scores.benchmark = tiers.benchmark and scores.score >= tiers.threshold
    -- Token counts of reasoning models differ, so they also have a series of their own.
    cross join unnest(['all', 'reasoning', 'non_reasoning']) as model_groups (model_group)
    where
        providers.provider_kind <> 'aggregator'
        and blends.service_tier = 'standard'
        and coalesce(blends.context_from, 0) = 0
        and blends.usd_per_mtok > 0
        and (
            model_groups.model_group = 'all'
            or models.reasoning = (model_groups.model_group = 'reasoning')
        )
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
),

daily as (
    select
        cast(
            unnest(generate_series(
                cast(leaders.day_from as timestamp),
                cast(least(coalesce(leaders.day_to - 1, clock.as_of), clock.as_of) as timestamp),
                interval 1 day
            )) as date
        ) as price_date,
        leaders.*
    from leaders
    cross join {{ ref('dim_clock') }} as clock
    where leaders.day_from <= clock.as_of and leaders.offers > 0
)

select
    daily.price_date,
    daily.tier_id,
    daily.model_group,
    daily.workload_id,
    daily.p_star,
    daily.p_star_with_promos,
    min(daily.p_star) over (
        partition by daily.tier_id, daily.model_group, daily.workload_id order by daily.price_date
    ) as p_star_cummin,
    daily.leader.offer_id as leader_offer_id,
    daily.leader.provider_id as leader_provider_id,
    daily.leader.model_id as leader_model_id,
    daily.offers
from daily
