"""Peers that we did not write: aiortc, FFmpeg, Chromium over WHEP, another host."""
