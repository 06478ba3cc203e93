-- How many times more parameters does DeepSeek-V3 have than it uses for a token?
select
    any_value(parameters_total_b / parameters_active_b) as observed_low,
    any_value(parameters_total_b / parameters_active_b) as observed_high,
    count(*) as n_evidence,
    any_value(printf('%gB parameters, %gB active (%s)', parameters_total_b, parameters_active_b, source)) as evidence
from marts.dim_model
where model_id = 'deepseek/deepseek-v3' and parameters_total_b > 0 and parameters_active_b > 0
