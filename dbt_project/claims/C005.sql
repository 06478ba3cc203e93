-- What did a million output tokens of Claude Haiku 4.5 cost at Anthropic in February 2026?
{{ list_price('anthropic', ['anthropic/claude-haiku-4.5'], ['output'], '2026-02-01', '2026-03-01') }}
