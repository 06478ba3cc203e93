-- By what factor in 18 months (547.5 days) did the gpt-4 class become cheaper, three input tokens to one output token?
-- The ends of that time if it has at least 90 days, and the 90 % interval of the rate since prices are known.
{{ fall_in_days(547.5, '2023-01-01', '2025-12-31') }}
