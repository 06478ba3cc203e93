{#
    Passes where the steps of every unbroken stretch of the frontier add up to what lies between its first price and
    its last one, whatever the steps say of themselves.
#}
{% test steps_add_up(model, frontier) %}
    with spans as (
        select
            frontier.*,
            count_if(is_start) over in_time as stretch
        from (
            select
                *,
                lag(day_to) over (partition by tier_id, model_group, workload_id order by day_from)
                is distinct from day_from as is_start
            from {{ frontier }}
            where p_star is not null and day_from <= (select as_of from {{ ref('dim_clock') }})
        ) as frontier
        window in_time as (
            partition by tier_id, model_group, workload_id
            order by day_from
            rows between unbounded preceding and current row
        )
    ),

    stretches as (
        select
            tier_id,
            model_group,
            workload_id,
            min(day_from) as first_day,
            max(day_from) as last_day,
            ln(arg_max(p_star, day_from)) - ln(arg_min(p_star, day_from)) as ln_moved
        from spans
        group by tier_id, model_group, workload_id, stretch
    )

    select
        stretches.tier_id,
        stretches.model_group,
        stretches.workload_id,
        stretches.first_day,
        any_value(stretches.ln_moved) as ln_moved,
        coalesce(sum(steps.ln_step), 0) as ln_attributed
    from stretches
    left join {{ model }} as steps
        on
            stretches.tier_id = steps.tier_id
            and stretches.model_group = steps.model_group
            and stretches.workload_id = steps.workload_id
            and steps.event_date between stretches.first_day and stretches.last_day
    group by stretches.tier_id, stretches.model_group, stretches.workload_id, stretches.first_day
    having abs(any_value(stretches.ln_moved) - coalesce(sum(steps.ln_step), 0)) > 1e-9
{% endtest %}
