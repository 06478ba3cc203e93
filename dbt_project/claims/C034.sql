-- By what factor did a capability become cheaper since January 2025?
-- The capability tiers of one index, three input tokens to one output token; the median tier. It is carried on to the
-- end of the forecast at the rate of the last 365 days.
{{ fall_carried_on('2025-01-01', '2025-01-31', '2026-12-31') }}
