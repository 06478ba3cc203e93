-- What did a million tokens of Gemini 2.5 Flash cost at Google in early 2026, from input to output?
{{ list_price('google', ['google/gemini-2.5-flash'], ['input', 'output'], '2026-01-01', '2026-04-01') }}
