-- By what factor did output tokens of the gpt-4 class become cheaper from the middle of 2023 to early 2026?
{{ fall_in_all('output_only', '2023-07-01', '2026-02-28') }}
