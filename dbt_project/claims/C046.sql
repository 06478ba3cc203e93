-- By what factor a year does the gpt-4 class become cheaper since 2024, three input tokens to one output token?
-- The ends of that time if it has at least 90 days, and the 90 % interval of the rate since prices are known.
{{ fall_in_days(365, '2024-01-01', '2026-12-31') }}
