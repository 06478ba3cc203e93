-- What did a million output tokens of Claude 2 cost at Anthropic in July 2023?
{{ list_price('anthropic', ['anthropic/claude-2.0', 'anthropic:claude-2'], ['output'], '2023-07-01', '2023-08-01') }}
