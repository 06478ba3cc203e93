-- How long does a price last, provider by provider?
-- The Kaplan-Meier estimate of the median life of a price, in days. A price of which the end was not seen (it is still
-- in force, was delisted, or another witness took over) counts as having lasted at least until then; one of which the
-- start was not seen (`left_censored`) says nothing about its life and is counted beside. The median is null where
-- more than half outlive the longest observation.
with spells as (
    select
        history.provider_id,
        history.date_precision = 'left_censored' as start_unseen,
        coalesce(history.ended_by in ('price_change', 'announced_end'), false)
        and history.valid_to <= clock.recorded_until as has_ended,
        date_diff('hour', history.valid_from, least(history.valid_to, clock.recorded_until)) / 24.0 as lasted_days
    from marts.fct_price_history as history
    cross join marts.dim_clock as clock
    where history.known_to is null and history.quality = 'ok' and history.valid_from <= clock.recorded_until
),

lives as (
    select
        provider_id,
        lasted_days,
        count_if(has_ended) as ended,
        count(*) as left_observation
    from spells
    where not start_unseen
    group by provider_id, lasted_days
),

at_risk as (
    select
        *,
        sum(left_observation) over (
            partition by provider_id order by lasted_days desc
            rows between unbounded preceding and current row
        ) as observed_so_long
    from lives
),

survival as (
    select
        provider_id,
        lasted_days,
        product(1 - ended / observed_so_long) over (
            partition by provider_id order by lasted_days
            rows between unbounded preceding and current row
        ) as surviving
    from at_risk
),

medians as (
    select
        provider_id,
        min(lasted_days) filter (where surviving <= 0.5) as median_days
    from survival
    group by provider_id
)

select
    spells.provider_id,
    medians.median_days,
    count_if(spells.has_ended and not spells.start_unseen) as lives_seen_whole,
    count_if(not spells.has_ended and not spells.start_unseen) as lives_without_an_end_yet,
    count_if(spells.start_unseen) as starts_unseen,
    max(spells.lasted_days) filter (where not spells.start_unseen) as longest_observed_days
from spells
inner join medians on spells.provider_id = medians.provider_id
group by spells.provider_id, medians.median_days
order by medians.median_days asc nulls last, lives_seen_whole desc, spells.provider_id asc
