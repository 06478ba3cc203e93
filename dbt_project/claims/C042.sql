-- By what factor a year did the gpt-4 class become cheaper from March 2024 to February 2026, three input tokens to one?
-- The ends of that time if it has at least 90 days, and the 90 % interval of the rate since prices are known.
{{ fall_in_days(365, '2024-03-01', '2026-02-28') }}
