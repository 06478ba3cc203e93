-- By what factor did the gpt-4 class become cheaper in the three years to January 2026, three input tokens to one?
{{ fall_in_all('input_output_3_1', '2023-01-01', '2026-01-31') }}
