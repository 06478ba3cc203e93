-- What does a million tokens of the gpt-4 class cost now, and at the end of 2027?
-- From input to output tokens, carried on to the end of the forecast at the rate of the last 365 days.
{{ price_to_come('eci-gpt-4', '2027-12-31') }}
