select
    month as rent_month,
    gpu,
    kind,
    usd_per_gpu_hour_p25 as rent_p25,
    usd_per_gpu_hour_median as rent_median,
    usd_per_gpu_hour_p75 as rent_p75,
    n_providers,
    source,
    source_reference
from {{ ref('gpu_rents') }}
