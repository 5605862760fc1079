"""Why a model had better not answer. Apart, so that what only reads answers loads no engine."""

from typing import Literal

Reason = Literal["blurred", "unlike_training_images", "benign_or_malignant"]
