"""What every peer runs: a JPEG's bytes to the model's logits. Each has an interpreter of its own.

`onnx` is the bundle's own file behind skincli's own decoding; `torch` is what the frameworks'
guides show: Pillow, torchvision's transforms and an eager model. A network has one thread.
"""

import io
import os
from collections.abc import Callable

Model = Callable[[bytes], list[float]]
WORKERS = int(os.environ["BENCH_WORKERS"])


def load() -> Model:
    return _torch() if os.environ["BENCH_ENGINE"] == "torch" else _onnx()


def _onnx() -> Model:
    import onnxruntime

    from skincli.imaging import Limits, read_input

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"]
    )
    size, crop = int(os.environ["BENCH_SIZE"]), os.environ["BENCH_CROP"]
    limits = Limits(20_000_000, 50_000_000)

    def answer(data: bytes) -> list[float]:
        pixels = read_input(data, size, crop, limits)
        return session.run(["logits"], {"images": pixels[None]})[0][0].tolist()

    return answer


def _torch() -> Model:
    import torch
    import torchvision
    from PIL import Image
    from torchvision import transforms

    torch.set_num_threads(1)
    size = int(os.environ["BENCH_SIZE"])
    classes = int(os.environ["BENCH_CLASSES"])
    model = torchvision.models.get_model(os.environ["BENCH_BACKBONE"], num_classes=classes).eval()
    preprocess = transforms.Compose(
        [
            transforms.Resize(round(size * 256 / 224)),
            transforms.CenterCrop(size),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )

    def answer(data: bytes) -> list[float]:
        image = preprocess(Image.open(io.BytesIO(data)).convert("RGB"))
        with torch.inference_mode():
            return model(image[None])[0].tolist()

    return answer
