select
    gpu,
    rented_as,
    dense_tflops_bf16,
    dense_tflops_fp8,
    memory_gb,
    bandwidth_tb_per_s,
    source,
    source_reference,
    source_date as described_on
from {{ ref('gpu_hardware') }}
