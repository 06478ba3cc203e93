-- By what factor did output tokens of the gpt-4 class become cheaper from January 2024 to January 2025?
{{ fall_in_all('output_only', '2024-01-01', '2025-01-31') }}
