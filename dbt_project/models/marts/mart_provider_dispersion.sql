{#
    How far apart the prices of one open model are at those who host it, and who is cheapest since when. Of hosts that
    ask the same the one that has been cheapest for longer goes first, so that an equal offer takes nobody's place.
#}
with offers as (
    select
        listed.model_id,
        listed.workload_id,
        listed.provider_id,
        listed.usd_per_mtok,
        listed.day_from,
        listed.day_to
    from ({{ comparable_offers() }}) as listed
    inner join {{ ref('dim_model') }} as models on listed.model_id = models.model_id
    where
        models.open_weights
        and listed.time_window is null
        and listed.workload_id in ('input_output_3_1', 'output_only')
),

edges as (
    select
        model_id,
        workload_id,
        day_from as edge
    from offers
    union distinct
    select
        model_id,
        workload_id,
        day_to as edge
    from offers
    where day_to is not null
),

spans as (
    select
        model_id,
        workload_id,
        edge as day_from,
        lead(edge) over (partition by model_id, workload_id order by edge) as day_to
    from edges
),

-- A host may sell one model under several labels.
hosts as (
    select
        spans.model_id,
        spans.workload_id,
        spans.day_from,
        spans.day_to,
        offers.provider_id,
        min(offers.usd_per_mtok) as usd_per_mtok
    from spans
    inner join offers
        on
            spans.model_id = offers.model_id
            and spans.workload_id = offers.workload_id
            and spans.day_from >= offers.day_from
            and spans.day_from < coalesce(offers.day_to, cast('infinity' as date))
    group by spans.model_id, spans.workload_id, spans.day_from, spans.day_to, offers.provider_id
),

dispersion as (
    select
        model_id,
        workload_id,
        day_from,
        day_to,
        count(*) as n_hosts,
        min(usd_per_mtok) as lowest_usd_per_mtok,
        median(usd_per_mtok) as median_usd_per_mtok,
        max(usd_per_mtok) as highest_usd_per_mtok,
        arg_max(provider_id, (usd_per_mtok, provider_id)) as dearest_provider_id
    from hosts
    group by model_id, workload_id, day_from, day_to
),

-- How long each host has been cheapest, alone or with others.
cheapest as (
    select
        *,
        last_value(case when not goes_on then day_from end ignore nulls) over (
            partition by model_id, workload_id, provider_id order by day_from
        ) as cheapest_since
    from (
        select
            hosts.model_id,
            hosts.workload_id,
            hosts.provider_id,
            hosts.day_from,
            coalesce(
                lag(hosts.day_to) over (
                    partition by hosts.model_id, hosts.workload_id, hosts.provider_id order by hosts.day_from
                ) = hosts.day_from,
                false
            ) as goes_on
        from hosts
        inner join dispersion
            on
                hosts.model_id = dispersion.model_id
                and hosts.workload_id = dispersion.workload_id
                and hosts.day_from = dispersion.day_from
                and hosts.usd_per_mtok = dispersion.lowest_usd_per_mtok
    ) as neighbours
),

longest_cheapest as (
    select
        model_id,
        workload_id,
        day_from,
        min(cheapest_since) as cheapest_since,
        arg_min(provider_id, (cheapest_since, provider_id)) as cheapest_provider_id
    from cheapest
    group by model_id, workload_id, day_from
)

select
    dispersion.model_id,
    dispersion.workload_id,
    dispersion.day_from,
    dispersion.day_to,
    dispersion.n_hosts,
    dispersion.lowest_usd_per_mtok,
    dispersion.median_usd_per_mtok,
    dispersion.highest_usd_per_mtok,
    dispersion.highest_usd_per_mtok / dispersion.lowest_usd_per_mtok as highest_over_lowest,
    longest_cheapest.cheapest_provider_id,
    longest_cheapest.cheapest_since,
    dispersion.dearest_provider_id
from dispersion
inner join longest_cheapest
    on
        dispersion.model_id = longest_cheapest.model_id
        and dispersion.workload_id = longest_cheapest.workload_id
        and dispersion.day_from = longest_cheapest.day_from
