"""Room 7: an iterator of checkpoints. It evaluates nothing and picks no winner."""
