-- How far apart are the prices at which different hosts sell the same open model now, and who is cheapest since when?
-- Three input tokens to one output token; of every host its cheapest offer in the standard tier for short prompts at
-- all hours. Aggregators are left out, and so are models with fewer than three hosts.
select
    models.model_id,
    models.model_name,
    models.size_class,
    dispersion.n_hosts,
    dispersion.lowest_usd_per_mtok,
    dispersion.median_usd_per_mtok,
    dispersion.highest_usd_per_mtok,
    dispersion.highest_over_lowest,
    dispersion.cheapest_provider_id as cheapest_host,
    date_diff('day', dispersion.cheapest_since, cast(clock.recorded_until as date)) as cheapest_for_days,
    dispersion.dearest_provider_id as dearest_host
from marts.mart_provider_dispersion as dispersion
inner join marts.dim_model as models on dispersion.model_id = models.model_id
cross join marts.dim_clock as clock
where
    dispersion.workload_id = 'input_output_3_1'
    and dispersion.n_hosts >= 3
    and dispersion.day_from <= cast(clock.recorded_until as date)
    and coalesce(dispersion.day_to > cast(clock.recorded_until as date), true)
order by dispersion.highest_over_lowest desc, models.model_id asc
