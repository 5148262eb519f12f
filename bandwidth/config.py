"""Every number of the policy, with one default for every link, and a switch for each departure from plain GCC."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """One for all links; the benchmark turns the switches off to show what each is worth."""

    # Switches.
    queue_rule: bool = True  # a standing queue counts, not only a rising one
    loss_split: bool = True  # random loss is repaired, congestion is obeyed
    steady_increase: bool = True  # growth that does not slow down with the round trip
    purposeful_probes: bool = True  # the next ladder step is tried with padding; off: growth alone
    outage_rule: bool = True  # silence means sound alone, at once
    competing_mode: bool = True  # a queue that stays after we halved is not ours
    stall_undo: bool = True  # a queue that came and went within a second costs no rate

    # Units of cost: bytes that a packet carries on the wire beside its payload.
    header_bytes: float = 66.0  # IPv4, UDP, RTP with extensions, SRTP tag
    copy_bytes: float = 4.0  # a block header of RED (RFC 2198)

    # Delay (GCC: draft-ietf-rmcat-gcc-02, libwebrtc's trendline estimator).
    trend_window: int = 20
    trend_smoothing: float = 0.9
    trend_gain: float = 4.0
    trend_deltas: int = 60
    threshold_start: float = 12.5
    threshold_low: float = 6.0
    threshold_high: float = 600.0
    threshold_up: float = 0.0087
    threshold_down: float = 0.039
    over_time_ms: float = 10.0
    base_bucket_us: int = 2_000_000
    base_buckets: int = 15
    burst_after_gap_ms: float = 300.0  # what stood still this long comes in a burst that says nothing of the link

    stretch_groups: int = 4
    stretch_ms: float = 60.0
    stretch_least: float = 0.15

    # Queue (ms over the lowest delay).
    queue_low_ms: float = 25.0
    queue_low_bits: float = 2400.0  # a packet of sound, which on a slow link is long itself
    queue_packet_ms: float = 15.0
    queue_high_ms: float = 80.0
    queue_jump_ms: float = 50.0  # a high queue that rose so much in one tick needs no second look
    queue_rtt_share: float = 0.2
    queue_packet_bits: float = 8000.0
    drain_ms: float = 1000.0  # a queue is drained in about this time
    drained_us: int = 500_000  # what was left out for it comes back at once in this time
    drain_most: float = 0.8

    # Loss.
    loss_fast_us: int = 1_000_000
    loss_slow_us: int = 5_000_000
    loss_burst_us: int = 10_000_000
    loss_excess: float = 0.08
    loss_sigmas: float = 3.0
    loss_packets: float = 8.0
    loss_random_most: float = 0.5
    loss_heavy: float = 0.45
    blame_us: int = 3_000_000  # loss this soon after more was sent is that step's fault

    # Rate.
    start_bps: float = 100_000.0
    start_share: float = 0.6  # of a remembered rate
    protected_bps: float = 30_000.0
    most_bps: float = 20_000_000.0
    beta: float = 0.85
    beta_gentle: float = 0.92  # while the queue is still short
    decrease_us: int = 200_000
    grow_per_s: float = 0.05
    grow_least_bps: float = 8_000.0
    grow_limit: float = 1.2
    acked_short_ms: float = 150.0
    acked_long_ms: float = 500.0
    acked_ring: int = 12
    sampled_share: float = 0.92  # of what a busy link was seen to deliver
    stall_us: int = 1_000_000
    outage_us: int = 400_000
    outage_feedbacks: float = 4.0  # so many lost in a row are no accident
    outage_short_us: int = 1_200_000
    outage_short_share: float = 0.85
    outage_pause_us: int = 800_000
    outage_share: float = 0.5
    outage_wait_us: int = 1_000_000
    compete_us: int = 3_000_000
    compete_most: float = 1.25
    compete_least: float = 0.8
    compete_share: float = 0.5
    compete_leave_us: int = 2_000_000
    compete_trial_us: int = 2_500_000
    compete_block_us: int = 30_000_000
    compete_loss: float = 0.15

    # Receivers without transport-wide feedback.
    remb_fits: float = 0.95  # of what arrives: so much is no complaint
    remb_stands_us: int = 3_000_000  # a lower word that does not rise for this long is meant

    # Probes.
    probe_margin: float = 1.12
    probe_start_factor: float = 2.5
    probe_factor: float = 2.0
    probe_least_us: int = 40_000
    probe_most_us: int = 300_000
    probe_queue_ms: float = 60.0  # the queue that a failing probe may leave
    probe_good: float = 0.85  # of what was sent arrived: the link bears it
    probe_wait_us: int = 3_000_000
    probe_wait_most_us: int = 5_000_000
    probe_backoff: float = 1.5
    trial_wait_most_us: int = 60_000_000  # of receivers whose feedback shows no probe
    trial_backoff: float = 2.0
    trial_us: int = 5_000_000
    trial_first_us: int = 300_000  # while none failed
    probe_next_us: int = 200_000
    probe_more: float = 1.25  # a probe that failed but showed so much more is soon followed by another …
    probe_more_us: int = 1_000_000  # … after this time
    probe_share: float = 0.05  # of all bytes
    probe_free_bits: float = 15_000.0  # one made while nothing was ever wrong counts as no more than this
    probe_overdue_us: int = 10_000_000  # one that has been due for so long is made whatever it costs
    probe_verdict_us: int = 3_000_000

    # Ladder.
    up_margin: float = 1.10
    stay_margin: float = 1.1
    up_temporal_us: int = 1_000_000
    up_spatial_us: int = 2_000_000
    up_sure: float = 1.4  # of the cost: so much room needs no long look
    up_sure_us: int = 400_000
    up_sure_patience: float = 0.25
    up_patience: float = 2.0
    up_most_us: int = 40_000_000
    fail_us: int = 12_000_000  # a fall this soon after a climb is that climb's failure
    spatial_down_us: int = 400_000  # a spatial layer is left after its link was too slow for this long …
    base_down_us: int = 1_500_000  # the last picture stays longer
    base_patience_us: float = 3_000_000.0
    spatial_down_queue_ms: float = 400.0  # … or at once when so much waits
    start_us: int = 5_000_000  # climbing is quick in the beginning
    silent_us: int = 2_000_000  # a player that reports nothing for this long never will
    silent_spatial: int = 1  # a player that never reports gets this layer at most
    pacing_gain: float = 1.05
    pacing_sound_gain: float = 1.1
    pacing_least_bps: float = 8_000.0
    still_within_us: int = 4_000_000  # a page is to be there by then …
    still_latest_us: int = 6_000_000  # … or at the latest then
    still_least_us: int = 1_500_000  # … and later, what is left of it in this time
    repair_least: float = 0.15
    repair_gain: float = 1.5

    # Sound.
    copies_from: tuple[float, float, float] = (0.02, 0.12, 0.30)
    bursty: float = 1.5
    copies_down_us: int = 5_000_000
    copies_first_us: int = 2_000_000  # the copy that a new receiver gets, while it loses nothing
    copy_apart_s: float = 0.31  # one copy beside repairs: as far as RED's 14 bits of 48 kHz reach
    copy_rtt_us: float = 250_000.0  # repairs come in time over a round trip of up to this
    sound_share: float = 0.92  # of the estimate: what sound and its copies may take, reports stay beside it
    lossy: float = 0.05  # the word for people
