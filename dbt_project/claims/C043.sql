-- What did a million input tokens of gpt-4 cost at OpenAI in March 2024?
{{ list_price('openai', ['openai/gpt-4-0613'], ['input'], '2024-03-01', '2024-04-01') }}
