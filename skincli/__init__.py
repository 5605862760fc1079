import os

__version__ = "0.1.0"

# From 1.29 on, ONNX Runtime's Linux wheels report models and machine to their maker over the
# network, unless this is set before it is first imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
