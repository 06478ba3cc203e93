select
    model_class,
    measured_model,
    gpu,
    n_gpu,
    precision,
    basis,
    counts,
    input_tokens,
    output_tokens,
    coalesce(input_tokens || ' in, ' || output_tokens || ' out', 'unstated') as request_shape,
    tokens_per_s,
    tokens_per_s / n_gpu as tokens_per_s_per_gpu,
    cached_share,
    software,
    source,
    source_reference,
    published_on
from {{ ref('throughput') }}
