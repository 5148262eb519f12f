"""People, rooms and words on the wire: the control plane, and the composition root."""
