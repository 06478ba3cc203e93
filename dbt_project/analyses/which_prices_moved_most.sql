-- Which list prices fell most in the last year, and which rose most?
-- The 25 largest of either direction, by the size of the step. Moves in and out of free have no percentage and are left
-- out, and so are those that wait for a second capture (`quarantined`).
select
    changes.direction,
    row_number() over (
        partition by changes.direction order by abs(changes.ln_step) desc, changes.change_id asc
    ) as place,
    changes.changed_at,
    changes.provider_id,
    providers.provider_kind,
    changes.model_label,
    changes.meter,
    changes.service_tier,
    changes.context_from,
    changes.region,
    changes.time_window,
    changes.old_price,
    changes.new_price,
    changes.currency,
    changes.pricing_unit,
    changes.change_percent,
    changes.old_price_age_days,
    changes.days_not_listed,
    changes.is_promo,
    changes.is_revert,
    changes.date_precision,
    changes.old_evidence_sha256,
    changes.evidence_sha256
from marts.mart_price_changes as changes
inner join marts.dim_provider as providers on changes.provider_id = providers.provider_id
cross join marts.dim_clock as clock
where
    changes.quality = 'ok'
    and changes.ln_step is not null
    and changes.changed_at > clock.recorded_until - interval 365 day
qualify place <= 25
order by changes.direction, place
