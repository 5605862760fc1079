"""A drawn stand-in for real images, in HAM10000's published layout."""
