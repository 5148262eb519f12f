"""The media plane: the Rust packet core and its thin Python face."""
