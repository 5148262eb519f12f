"""SDP text <-> values: the only place that knows the format (RFC 8866, RFC 8829; PROTOCOL section 1)."""

from signaling.sdp.answer import (
    Accepted,
    Direction,
    accept_channel,
    accept_slot,
    accept_track,
    build_answer,
    build_fragment,
    has_rtx,
    refuse,
    transport_params,
)
from signaling.sdp.client import AnswerParams, ClientOffer, Sent, build_offer, parse_answer
from signaling.sdp.offer import Codec, Media, Offer, parse_offer, parse_trickle
from signaling.sdp.text import SdpError

__all__ = [
    "Accepted",
    "AnswerParams",
    "ClientOffer",
    "Codec",
    "Direction",
    "Media",
    "Offer",
    "SdpError",
    "Sent",
    "accept_channel",
    "accept_slot",
    "accept_track",
    "build_answer",
    "build_fragment",
    "build_offer",
    "has_rtx",
    "parse_answer",
    "parse_offer",
    "parse_trickle",
    "refuse",
    "transport_params",
]
