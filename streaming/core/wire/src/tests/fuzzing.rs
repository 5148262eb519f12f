//! A short, seeded fuzz run over every entry point.

use super::corpus;
use crate::fuzz::{TARGETS, drive};

#[test]
fn no_parser_panics_or_breaks_its_promise_on_broken_packets() {
    for (name, entry) in TARGETS {
        drive(*entry, &corpus::seeds(name));
    }
}

#[test]
fn every_seed_is_valid_for_its_parser() {
    use crate::{h264, red, rtcp, rtp, twcc, vp8};
    for seed in corpus::seeds("rtp").iter().chain(&corpus::seeds("rtx")) {
        assert!(
            rtp::Header::parse(seed)
                .and_then(|header| header.payload(seed))
                .is_ok()
        );
    }
    assert!(
        corpus::seeds("rtcp")
            .iter()
            .all(|seed| rtcp::messages(seed).all(|message| message.is_ok()))
    );
    assert!(
        corpus::seeds("twcc")
            .iter()
            .all(|seed| twcc::Feedback::parse(seed).is_ok())
    );
    assert!(
        corpus::seeds("red")
            .iter()
            .all(|seed| red::Red::parse(seed).is_ok())
    );
    assert!(
        corpus::seeds("vp8")
            .iter()
            .all(|seed| vp8::Descriptor::parse(seed).is_ok())
    );
    assert!(
        corpus::seeds("h264")
            .iter()
            .all(|seed| h264::summarise(seed).is_ok())
    );
}
