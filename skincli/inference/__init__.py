"""A bundle folder and images to probabilities and heat maps. ONNX Runtime, numpy, Pillow."""
