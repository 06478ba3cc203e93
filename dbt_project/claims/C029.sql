-- What did a million output tokens of gpt-4 cost at OpenAI when it came out on 14 March 2023?
{{ list_price('openai', ['openai/gpt-4-0314'], ['output'], '2023-03-14', '2023-03-15') }}
