-- What did a million tokens of the gpt-4 class cost in the middle of 2024?
-- The lowest price on the median day of June, from input to output tokens.
{{ price_of_tier('eci-gpt-4', '2024-06-01', '2024-06-30') }}
