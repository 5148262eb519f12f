//! A modelled browser that publishes: the frames of films, key frames when asked, repairs, sender reports.
//!
//! Its own uplink has no congestion control: give it a link that carries what it sends.

use std::sync::Arc;

use zhuandi_sfu::transport::{Path, Transport};
use zhuandi_wire::rtcp::{Message, SenderInfo, messages, write_cname, write_sender_report};
use zhuandi_wire::time::Micros;

pub mod film;
pub mod track;

use film::Film;
use track::{Sending, Track, write};

const REPORT_US: i64 = 1_000_000;
/// A browser's first frame comes a moment after it was asked to publish.
const START_US: i64 = 100_000;

/// See the module.
pub struct Teacher {
    transport: Transport,
    path: Path,
    tracks: Vec<Track>,
    twcc: u16,
    report_at: Micros,
    pending: Vec<Sending>,
}

impl Teacher {
    /// On an association that stands, as its client.
    pub fn new(now: Micros, transport: Transport, path: Path) -> Teacher {
        Teacher {
            transport,
            path,
            tracks: Vec::new(),
            twcc: 0,
            report_at: now.plus(100_000),
            pending: Vec::new(),
        }
    }

    /// Begin to send a film.
    pub fn publish(&mut self, now: Micros, film: Arc<Film>, first_ssrc: u32) {
        let seed = zhuandi_wire::seq::low16(u64::from(first_ssrc));
        let rtp = film.rtp(first_ssrc);
        let start = now.plus(START_US);
        self.tracks.push(Track::new(film, rtp, start, seed));
    }

    /// Switch encodings of the film with this first SSRC on, from the lowest.
    pub fn set_active(&mut self, first_ssrc: u32, count: usize) {
        let owns = |track: &&mut Track| {
            track
                .rtp
                .encodings
                .first()
                .and_then(|encoding| encoding.ssrc)
                == Some(first_ssrc)
        };
        if let Some(track) = self.tracks.iter_mut().find(owns) {
            track.set_active(count);
        }
    }

    /// When to call [`Teacher::poll`].
    pub fn next(&self) -> Micros {
        let frames = self.tracks.iter().map(Track::next).min();
        frames.unwrap_or(Micros::NEVER).min(self.report_at)
    }

    /// The datagrams to send now.
    pub fn poll(&mut self, now: Micros, out: &mut Vec<Vec<u8>>) {
        for at in 0..self.tracks.len() {
            while let Some(track) = self.tracks.get_mut(at).filter(|track| track.next() <= now) {
                track.poll(now, &mut self.pending);
            }
            self.flush(at, out);
        }
        if self.report_at <= now {
            self.report_at = now.plus(REPORT_US);
            self.report(now, out);
        }
    }

    /// A datagram of the server.
    pub fn receive(&mut self, now: Micros, datagram: &mut [u8], out: &mut Vec<Vec<u8>>) {
        let Ok(plain) = self.transport.unprotect_rtcp(now, self.path, datagram) else {
            return;
        };
        let packet = datagram.get(..plain.len).unwrap_or_default();
        for message in messages(packet).flatten() {
            match message {
                Message::Pli(pli) => self.want_key(now, pli.media_ssrc),
                Message::Nack(nack) => {
                    for seq in nack.lost() {
                        self.repair(nack.media_ssrc, seq, out);
                    }
                }
                _ => {}
            }
        }
    }

    fn want_key(&mut self, now: Micros, ssrc: u32) {
        let owns =
            |track: &&mut Track| track.rtp.encodings.iter().any(|one| one.ssrc == Some(ssrc));
        if let Some(track) = self.tracks.iter_mut().find(owns) {
            track.want_key(now);
        }
    }

    fn repair(&mut self, ssrc: u32, seq: u16, out: &mut Vec<Vec<u8>>) {
        for at in 0..self.tracks.len() {
            if let Some(track) = self.tracks.get_mut(at) {
                track.repair(ssrc, seq, &mut self.pending);
            }
            self.flush(at, out);
        }
    }

    fn flush(&mut self, at: usize, out: &mut Vec<Vec<u8>>) {
        let Some(track) = self.tracks.get(at) else {
            return;
        };
        for sending in self.pending.drain(..) {
            let mut packet = Vec::with_capacity(sending.payload.len() + 64);
            write(&mut packet, &sending, &track.rtp.mid, self.twcc);
            self.twcc = self.twcc.wrapping_add(1);
            if self
                .transport
                .protect_rtp(&mut packet, 0, sending.index)
                .is_ok()
            {
                out.push(packet);
            }
        }
    }

    fn report(&mut self, now: Micros, out: &mut Vec<Vec<u8>>) {
        let mut packet = Vec::new();
        for (ssrc, rtp_ts, packets, octets) in
            self.tracks.iter().flat_map(|track| track.senders(now))
        {
            let info = SenderInfo {
                ntp: zhuandi_sfu::clock::ntp_from_unix_us(crate::UNIX_US.saturating_add(now.0)),
                rtp_ts,
                packets,
                octets,
            };
            write_sender_report(&mut packet, ssrc, &info, &[]);
            write_cname(&mut packet, ssrc, "teacher");
        }
        if !packet.is_empty() && self.transport.protect_rtcp(&mut packet, 0).is_ok() {
            out.push(packet);
        }
    }
}
