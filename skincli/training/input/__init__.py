"""From the packed array to augmented batches on the device."""
