-- Which pages need a person, and why?
-- A page is stale when the archive goes on for two days after its last good capture; a price map never is. A parser is
-- unverified until it has read a real page.
with judged as (
    select
        coverage.*,
        concat_ws(
            ', ',
            case
                when coverage.last_outcome = 'never_attempted' then 'never attempted'
                when coverage.last_outcome = 'suspect' then 'suspect'
                when coverage.last_outcome not in ('ok', 'unchanged') then 'failed'
            end,
            case when coverage.good_captures = 0 then 'never read' end,
            case
                when
                    coverage.role not in ('price_map', 'price_history')
                    and coverage.last_good_capture_at < clock.recorded_until - interval 48 hour
                    then 'stale'
            end,
            case when coverage.unmapped_labels > 0 then 'unmapped labels' end,
            case when not coverage.is_verified then 'unverified parser' end
        ) as why
    from marts.mart_coverage as coverage
    cross join marts.dim_clock as clock
)

select
    provider_id,
    page_id,
    role,
    why,
    last_outcome,
    last_message,
    last_attempt_at,
    last_good_capture_at,
    age_days,
    longest_gap_days,
    quotes,
    unmapped_labels,
    unmapped_label_names,
    quarantined_prices,
    is_held_back,
    url
from judged
where why <> ''
order by provider_id, page_id
