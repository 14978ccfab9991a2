"""One torch thread in the test process: tiny networks are slower and less repeatable with more."""

import torch

torch.set_num_threads(1)
