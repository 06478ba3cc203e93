-- By what factor did a capability become cheaper since February 2026?
-- The capability tiers of one index, three input tokens to one output token; the median tier. It is carried on to the
-- end of the forecast at the rate of the last 365 days.
{{ fall_carried_on('2026-02-01', '2026-02-28', '2027-12-31') }}
