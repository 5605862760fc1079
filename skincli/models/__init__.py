"""Backbones, our own pool and linear head on them, the LightningModule and the ONNX export."""
