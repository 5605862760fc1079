"""How good a model is: metrics, calibration, figures, and the `evaluate` verb."""
