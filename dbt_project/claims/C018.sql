-- What did a million tokens of the frontier, then the gpt-5 class, cost in early 2026?
-- The lowest price on the median day, from input to output tokens. How many providers were "many" is not asked.
{{ price_of_tier('eci-gpt-5', '2026-01-01', '2026-03-31') }}
