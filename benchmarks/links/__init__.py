"""Weak links in the simulator: what a classroom hears and sees over each, and how far that is from the best possible.

The core, the control loop and the policy are the real ones; links are emulated and browsers are modelled (crate `sim`).

Limits of the model. Play-out and decoding follow libwebrtc's rules, not its code: where Chromium was measured, its
figure counts (`--chromium`, module `truth`). A paused picture ends when the decision says so, not when its last packet
is out. The teacher sends what a real Chromium was recorded to send (`record`) over a clean uplink and does not adapt; a
key frame comes with the next base frame, 100 ms or more after it was asked for. There is no handshake and no ICE. Lips
and pictures are not held in step. Concealment counts silent stretches, too, which browsers leave out.
"""
