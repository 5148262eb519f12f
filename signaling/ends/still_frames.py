"""A picture coded once, of which any film can be made: a key frame, and a frame that changes next to nothing.

How a line is used depends on when frames come and how large they are, not on what they show. So whoever sends these two
fills them up to the wanted sizes: what follows the last partition of a VP8 frame is read by nobody (RFC 6386 9.5).
"""

from __future__ import annotations

from fractions import Fraction

import av

from signaling.ends.encode import VIDEO_CLOCK

LEAST_BPS = 50_000  # there must be room up to the smallest frame that is asked for
TRIED = 12  # frames of a still picture until the smallest is known


def still_frames(picture: av.VideoFrame, fps: int, least_qp: int | None = None) -> tuple[bytes, bytes]:
    """The key frame and the other one of a picture in yuv420p; with `least_qp` as coarse as that (0 to 63)."""
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, VIDEO_CLOCK), Fraction(fps)
    encoder.gop_size, encoder.thread_count, encoder.bit_rate = 1000, 1, LEAST_BPS
    if least_qp is not None:
        encoder.qmin, encoder.qmax = least_qp, 63
    # Error resilience: no frame leans on the statistics of the one before, so any may be repeated or left out.
    encoder.options = {
        "deadline": "realtime",
        "cpu-used": "8",
        "error-resilient": "1",
        "lag-in-frames": "0",
        "static-thresh": "100000",
    }
    frames: list[bytes] = []
    for number in range(TRIED):
        picture.pts, picture.time_base = number * VIDEO_CLOCK // fps, Fraction(1, VIDEO_CLOCK)
        frames += [bytes(packet) for packet in encoder.encode(picture)]
    return frames[0], min(frames[1:], key=len)
