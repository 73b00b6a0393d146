"""Runs `budew` with FSDP on processors: torch shards there too, but `accelerate` does not ask it to."""

from typing import Any

import accelerate.state
from accelerate.utils import DistributedType

from budew.__main__ import main

if __name__ == "__main__":
    join = accelerate.state.PartialState.__init__

    def join_as_on_gpus(self: Any, *args: Any, **more: Any) -> None:
        join(self, *args, **more)
        if self.distributed_type == DistributedType.MULTI_CPU:
            self.distributed_type = DistributedType.MULTI_GPU

    accelerate.state.PartialState.__init__ = join_as_on_gpus
    main()
