{#
    What moved p*: every step of mart_frontier_price, given to one cause. Where nothing lasting is on sale for a while,
    p* is missing: an unbroken stretch ends, another one begins, and nothing is said of the difference.

    A seller is a provider with one model, under whichever label. The cause of a fall is the first that fits:
        own_cut                 the seller that led sells for the new p*
        host_undercut           another provider does, with the same model
        successor_launch        a model of the same developer that nobody had sold before
        rival_launch            a model of another developer that nobody had sold before
        other_model_repricing   another model that had been on sale for more, at this seller or another one
    and of a rise:
        own_rise                the seller that led sells for the new p*
        exit_of_leader          it no longer sells the model, or as a promo only
        leader_rise_switch      it sells the model for more than the new p*
    Of sellers that have the new p* alike, the one that led goes first: it has not lost its place.
#}
with leaders as (
    select distinct leader_model_id as model_id
    from {{ ref('mart_frontier_price') }}
),

-- Of the models that ever led: nothing else is asked for.
sellers as (
    select offers.*
    from ({{ comparable_offers() }}) as offers
    semi join leaders on offers.model_id = leaders.model_id
),

launches as (
    select
        model_id,
        workload_id,
        min(day_from) as on_sale_since
    from sellers
    group by model_id, workload_id
),

spans as (
    select
        frontier.tier_id,
        frontier.model_group,
        frontier.workload_id,
        frontier.day_from as event_date,
        frontier.p_star as p_after,
        frontier.leader_offer_id as new_leader_offer_id,
        frontier.leader_provider_id as new_leader_provider_id,
        frontier.leader_model_id as new_leader_model_id,
        lag(frontier.p_star) over in_time as p_before,
        lag(frontier.leader_offer_id) over in_time as old_leader_offer_id,
        lag(frontier.leader_provider_id) over in_time as old_leader_provider_id,
        lag(frontier.leader_model_id) over in_time as old_leader_model_id,
        coalesce(lag(frontier.day_to) over in_time < frontier.day_from, true) as is_start
    from {{ ref('mart_frontier_price') }} as frontier
    cross join {{ ref('dim_clock') }} as clock
    where frontier.p_star is not null and frontier.day_from <= clock.as_of
    window in_time as (
        partition by frontier.tier_id, frontier.model_group, frontier.workload_id order by frontier.day_from
    )
),

steps as (
    select
        *,
        last_value(case when is_start then event_date end ignore nulls) over in_time as stretch_from,
        date_diff('day', lag(event_date) over in_time, event_date) as days_since_previous
    from spans
    where is_start or p_after <> p_before
    window in_time as (partition by tier_id, model_group, workload_id order by event_date)
),

-- What the seller that led asks on the day of the step.
answers as (
    select
        steps.tier_id,
        steps.model_group,
        steps.workload_id,
        steps.event_date,
        min(sellers.usd_per_mtok) as price,
        arg_min(sellers.offer_id, (sellers.usd_per_mtok, sellers.offer_id)) as offer_id
    from steps
    inner join sellers
        on
            steps.old_leader_provider_id = sellers.provider_id
            and steps.old_leader_model_id = sellers.model_id
            and steps.workload_id = sellers.workload_id
            and steps.event_date >= sellers.day_from
            and steps.event_date < coalesce(sellers.day_to, cast('infinity' as date))
    where not sellers.is_promo
    group by steps.tier_id, steps.model_group, steps.workload_id, steps.event_date
),

answered as (
    select
        steps.*,
        launches.on_sale_since,
        answers.price as old_leader_price,
        answers.offer_id as old_leader_answer_id,
        coalesce(answers.price = steps.p_after, false) as is_own,
        steps.old_leader_model_id = steps.new_leader_model_id as is_same_model,
        old_models.developer = new_models.developer as is_same_developer
    from steps
    inner join launches
        on steps.new_leader_model_id = launches.model_id and steps.workload_id = launches.workload_id
    inner join {{ ref('dim_model') }} as old_models on steps.old_leader_model_id = old_models.model_id
    inner join {{ ref('dim_model') }} as new_models on steps.new_leader_model_id = new_models.model_id
    left join answers
        on
            steps.tier_id = answers.tier_id
            and steps.model_group = answers.model_group
            and steps.workload_id = answers.workload_id
            and steps.event_date = answers.event_date
    where not steps.is_start
)

select
    event_date,
    tier_id,
    model_group,
    workload_id,
    case
        when p_after < p_before and is_own then 'own_cut'
        when p_after < p_before and is_same_model then 'host_undercut'
        when p_after < p_before and on_sale_since < event_date then 'other_model_repricing'
        when p_after < p_before and is_same_developer then 'successor_launch'
        when p_after < p_before then 'rival_launch'
        when is_own then 'own_rise'
        when old_leader_price is null then 'exit_of_leader'
        else 'leader_rise_switch'
    end as cause,
    ln(p_after) - ln(p_before) as ln_step,
    p_before,
    p_after,
    old_leader_offer_id,
    old_leader_provider_id,
    old_leader_model_id,
    case when is_own then old_leader_answer_id else new_leader_offer_id end as new_leader_offer_id,
    case when is_own then old_leader_provider_id else new_leader_provider_id end as new_leader_provider_id,
    case when is_own then old_leader_model_id else new_leader_model_id end as new_leader_model_id,
    stretch_from,
    days_since_previous
from answered
