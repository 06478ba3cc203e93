-- What did a million tokens of the gpt-4 class cost in early 2026?
-- The lowest price on the median day, from input to output tokens.
{{ price_of_tier('eci-gpt-4', '2026-01-01', '2026-03-31') }}
