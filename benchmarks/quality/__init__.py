"""How good the model is where the truth is known: the simulator, baselines, ceilings, segments, calibration."""
