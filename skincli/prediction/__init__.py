"""Images and folders of images to a table of diagnoses: the `predict` verb."""
