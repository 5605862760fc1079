"""How many bytes of images may be kept on a device, and how many are."""

from typing import Final

import torch

# Of a GPU's free memory. The rest, and this much more of small cards, is left to gradients,
# activations and cuDNN's scratch space: an 8 GB card keeps some 6.5 GB, which by estimate is what
# resnet50 takes for 64 images of 224 px in bf16, and still has room for HAM10000 at that size.
_SHARE_OF_GPU: Final = 0.7
_LEFT_TO_NETWORK: Final = 4e9


class DeviceCache:
    """Room for images on one device, shared by the parts of a set that are trained with."""

    def __init__(self, device: torch.device, limit_gb: float | None) -> None:
        """`limit_gb`: in 1e9 bytes; 0 for none, None for what the device's free memory allows.

        On a CPU None keeps none either: images come from the file's cached pages as fast as from
        a copy of them, and the system can take those pages back.
        """
        self.device = device
        self._left = None if limit_gb is None else limit_gb * 1e9

    def take(self, size: int) -> bool:
        """Whether `size` bytes may be kept, and if so they are taken."""
        if self._left is None:
            return size <= self._free()
        fits = size <= self._left
        self._left -= size if fits else 0
        return fits

    def _free(self) -> float:
        if self.device.type != "cuda":
            return 0.0
        free, _ = torch.cuda.mem_get_info(self.device)
        return _SHARE_OF_GPU * free - _LEFT_TO_NETWORK
