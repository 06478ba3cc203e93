-- What does a million tokens of what was the frontier in January 2025, the o1 class, cost now and at the end of 2026?
-- From input to output tokens, carried on to the end of the forecast at the rate of the last 365 days.
{{ price_to_come('eci-o1', '2026-12-31') }}
