"""A processor that ends a process with SIGILL when torch multiplies matrices in bfloat16.

It is that of every Python process with this folder in PYTHONPATH, and behaves as a virtual machine that lists
AMX and does not permit it: other precisions work, and so does bfloat16 with ONEDNN_MAX_CPU_ISA.
"""

import os
import signal

from budew.extras import when_imported

PRODUCTS = ("linear", "conv1d", "scaled_dot_product_attention")


def _make_faulty(torch):
    if os.environ.get("ONEDNN_MAX_CPU_ISA") == "AVX512_CORE_BF16":
        return

    def faulty(product):
        def dies(*given, **options):
            tensors = [one for one in given if isinstance(one, torch.Tensor) and one.device.type == "cpu"]
            autocast = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") is torch.bfloat16
            if tensors and (autocast or tensors[0].dtype is torch.bfloat16):
                os.kill(os.getpid(), signal.SIGILL)
            return product(*given, **options)

        return dies

    for name in PRODUCTS:
        setattr(torch.nn.functional, name, faulty(getattr(torch.nn.functional, name)))
    for owner in (torch, torch.Tensor):
        owner.matmul = faulty(owner.matmul)
    torch.Tensor.__matmul__ = faulty(torch.Tensor.__matmul__)


when_imported("torch", _make_faulty)
