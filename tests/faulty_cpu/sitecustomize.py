"""A processor that ends a process with SIGILL when torch multiplies matrices in bfloat16.

It is that of every Python process with this folder in PYTHONPATH, and behaves as a virtual machine that lists
AMX and does not permit it: other precisions work, and so does bfloat16 with ONEDNN_MAX_CPU_ISA.
"""

import os
import signal
import sys
from importlib.machinery import PathFinder

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


class _Watch:
    """Makes torch faulty once it has been imported."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "torch":
            return None
        spec = PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def execute_and_make_faulty(module):
            execute(module)
            _make_faulty(module)

        spec.loader.exec_module = execute_and_make_faulty
        return spec


sys.meta_path.insert(0, _Watch)
