-- What did a million output tokens of gpt-4 cost at OpenAI in June 2023?
{{ list_price('openai', ['openai/gpt-4-0314', 'openai/gpt-4-0613'], ['output'], '2023-06-01', '2023-07-01') }}
