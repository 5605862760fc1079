"""The one configuration layer: `schema` says what there is, `load` composes it."""
