use super::*;
use zhuandi_wire::rtcp;
use zhuandi_wire::twcc::Arrival;

const STARTS: [u64; 6] = [0, 1, 127, 32_767, 65_534, 65_535];

/// A log that sent `count` packets of 100 bytes, 10 ms apart, from index `start` on.
fn log(start: u64, count: i64) -> SentLog {
    let mut log = SentLog::starting_at(start);
    (0..count).for_each(|i| log.sent(Micros(i * 10_000), 100));
    log
}

/// Feedback that packets with these offsets arrived at these times.
fn tell(log: &mut SentLog, now: i64, base: u64, arrivals: &[(u64, i64)]) {
    let arrivals: Vec<_> = arrivals
        .iter()
        .map(|&(index, at)| Arrival {
            index,
            at: Micros(at),
        })
        .collect();
    let mut out = Vec::new();
    twcc::write_feedback(&mut out, 1, 2, 0, base, &arrivals);
    let Some(Ok(rtcp::Message::TransportCc(parsed))) = rtcp::messages(&out).next() else {
        panic!("no feedback")
    };
    log.feedback(Micros(now), &parsed);
}

/// All of these arrived 30 ms after they left.
fn tell_all(log: &mut SentLog, start: u64, base: u64, offsets: &[u64]) {
    let arrivals: Vec<_> = offsets
        .iter()
        .map(|&i| (start + i, 30_000 + 10_000 * i as i64))
        .collect();
    tell(log, 200_000, base, &arrivals);
}

#[test]
fn feedback_becomes_acked_bytes_and_runs_of_losses_around_the_wrap() {
    for start in STARTS {
        let mut log = log(start, 12);
        tell_all(&mut log, start, start, &[0, 2, 3, 6, 8]);
        let acked = log.take();
        assert_eq!((acked.bytes, acked.received), (500, 5));
        assert_eq!((acked.lost, acked.runs), (4, 3), "1, 4 and 5, 7");
        assert_eq!(
            (acked.delay_us, acked.delay_sum_us),
            (Some(30_000), 150_000)
        );
        assert_eq!(log.in_flight_bytes(), 300, "9, 10 and 11");
        tell(&mut log, 300_000, start + 500, &[(start + 500, 0)]);
        assert_eq!(log.take().received, 0, "a number that was never sent");
    }
}

#[test]
fn a_loss_that_was_none_is_taken_back_and_nothing_counts_twice() {
    for start in STARTS {
        let mut log = log(start, 10);
        tell_all(&mut log, start, start, &[0, 4]);
        tell_all(&mut log, start, start + 2, &[2, 4]);
        let acked = log.take();
        assert_eq!((acked.received, acked.lost, acked.runs), (3, 2, 2));
        tell_all(&mut log, start, start + 1, &[1]);
        let late = log.take();
        assert_eq!((late.received, late.lost, late.runs), (1, 0, 0));
        tell_all(&mut log, start, start + 5, &[5, 7, 8, 9]);
        let acked = log.take();
        assert_eq!(
            (acked.lost, acked.runs),
            (0, 0),
            "6, less the one that was taken back"
        );
    }
}

#[test]
fn packets_of_a_feedback_that_never_came_are_neither_lost_nor_received() {
    for start in STARTS {
        let mut log = log(start, 10);
        tell_all(&mut log, start, start, &[0, 1]);
        tell_all(&mut log, start, start + 6, &[6, 7]);
        let acked = log.take();
        assert_eq!((acked.received, acked.lost), (4, 0));
        assert_eq!(log.in_flight_bytes(), 200);
        tell_all(&mut log, start, start + 2, &[2, 3]);
        assert_eq!(log.take().received, 2, "late and out of order");
    }
}

#[test]
fn the_receivers_clock_goes_on_where_it_starts_again() {
    let mut log = log(0, 8);
    let arrivals: Vec<_> = (0..8)
        .map(|i| (i, CLOCK_US / 2 - 35_000 + 10_000 * i as i64))
        .collect();
    for pair in arrivals.chunks(2) {
        tell(&mut log, 100_000, pair[0].0, pair);
    }
    let acked = log.take();
    let least = acked.delay_us.unwrap();
    assert_eq!(acked.delay_sum_us, 8 * least, "every delay is the same");
    assert!(
        acked
            .groups
            .iter()
            .all(|group| group.recv_delta_us == 10_000),
        "{acked:?}"
    );
    assert_eq!(acked.groups.len(), 6);
}

#[test]
fn a_growing_queue_shows_in_the_groups_of_which_the_newest_stay() {
    for start in STARTS {
        let mut log = log(start, 40);
        let arrivals: Vec<_> = (0..40)
            .map(|i| (start + i, 50_000 + 12_000 * i as i64))
            .collect();
        tell(&mut log, 600_000, start, &arrivals);
        let acked = log.take();
        assert_eq!(acked.groups.len(), MAX_GROUPS);
        assert!(
            acked
                .groups
                .iter()
                .all(|group| (group.send_delta_us, group.recv_delta_us) == (10_000, 12_000))
        );
        assert_eq!(
            acked.groups.last().unwrap().arrival_us,
            50_000 + 12_000 * 38
        );
        assert_eq!(acked.arrival_us, Some(50_000 + 12_000 * 39));
        assert_eq!(log.base_delay_us(), Some(50_000));
    }
}

#[test]
fn the_ring_grows_to_its_bound_and_what_flies_is_counted_in_it() {
    let mut log = SentLog::default();
    for i in 0..10_000 {
        log.sent(Micros(i), 100);
    }
    assert_eq!(log.rows.len(), MAX_ROWS);
    tell(&mut log, 20_000, 9_990, &[(9_990, 15_000)]);
    assert_eq!(log.in_flight_bytes(), 900);
}

#[test]
fn a_packet_that_arrives_only_when_sent_again_stays_lost_and_says_nothing_of_the_delay() {
    for start in STARTS {
        let mut log = log(start, 6);
        tell_all(&mut log, start, start, &[0, 1, 3]);
        assert_eq!(log.take().lost, 1);
        log.resent(Some(seq::low16(start + 2)));
        log.resent(None);
        tell(
            &mut log,
            400_000,
            start + 2,
            &[(start + 2, 350_000), (start + 3, 60_000)],
        );
        let acked = log.take();
        assert_eq!((acked.lost, acked.runs, acked.received), (0, 0, 1));
        assert_eq!((acked.delay_us, acked.arrival_us), (None, None));
    }
}
