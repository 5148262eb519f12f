"""Whether a lesson would come through here: the line is tried before the bell, and the answer is a sentence."""
