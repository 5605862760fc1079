"""Looking at every image file once: what it is, and which ones show the same picture."""
