-- What did a million tokens of what had been the frontier in 2024, the gpt-4 class, cost in February 2026?
-- The lowest price on the median day, from input to output tokens.
{{ price_of_tier('eci-gpt-4', '2026-02-01', '2026-02-28') }}
