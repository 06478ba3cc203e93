-- How far apart are the prices at which different hosts sell the same open model now?
-- Three input tokens to one output token; of every host its cheapest offer in the standard tier for short prompts at
-- all hours. Aggregators are left out, and so are models with fewer than three hosts.
with offers as (
    select
        models.model_id,
        models.model_name,
        models.size_class,
        blends.provider_id,
        min(blends.usd_per_mtok) as usd_per_mtok
    from marts.mart_blended_price as blends
    inner join marts.dim_model as models on blends.model_id = models.model_id
    inner join marts.dim_provider as providers on blends.provider_id = providers.provider_id
    cross join marts.dim_clock as clock
    where
        models.open_weights
        and providers.provider_kind <> 'aggregator'
        and blends.workload_id = 'input_output_3_1'
        and blends.service_tier = 'standard'
        and coalesce(blends.context_from, 0) = 0
        and blends.time_window is null
        and blends.usd_per_mtok > 0
        and blends.day_from <= cast(clock.recorded_until as date)
        and coalesce(blends.day_to > cast(clock.recorded_until as date), true)
    group by models.model_id, models.model_name, models.size_class, blends.provider_id
)

select
    model_id,
    model_name,
    size_class,
    count(*) as n_hosts,
    min(usd_per_mtok) as lowest_usd_per_mtok,
    median(usd_per_mtok) as median_usd_per_mtok,
    max(usd_per_mtok) as highest_usd_per_mtok,
    max(usd_per_mtok) / min(usd_per_mtok) as highest_over_lowest,
    arg_min(provider_id, (usd_per_mtok, provider_id)) as cheapest_host,
    arg_max(provider_id, (usd_per_mtok, provider_id)) as dearest_host
from offers
group by model_id, model_name, size_class
having count(*) >= 3
order by highest_over_lowest desc, model_id asc
