-- By what factor did output tokens of the gpt-4 class become cheaper from 2023 until now in 2026?
{{ fall_in_all('output_only', '2023-01-01', '2026-12-31') }}
