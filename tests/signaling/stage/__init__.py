"""The teacher's room: values, words, and what media is told."""
