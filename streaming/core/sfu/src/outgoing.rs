//! The buffer of outgoing datagrams, laid out for UDP GSO.

use crate::api::{Path, Proto};

/// Outgoing datagrams of one wake-up: one buffer, runs of equal-sized segments to one peer (UDP GSO).
#[derive(Debug, Default)]
pub struct Outgoing {
    /// All bytes, back to back.
    pub buf: Vec<u8>,
    /// In order of sending.
    pub runs: Vec<Run>,
}

/// Consecutive datagrams on one path; all `segment` bytes long but the last, which may be shorter.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Where to.
    pub path: Path,
    /// Start in [`Outgoing::buf`].
    pub start: usize,
    /// Length of the whole run.
    pub len: usize,
    /// Length of each datagram but the last.
    pub segment: usize,
}

impl Outgoing {
    /// Most segments of one GSO send (kernel limit UDP_MAX_SEGMENTS is 64 on old kernels).
    pub const MAX_SEGMENTS: usize = 64;
    /// Most bytes of one GSO send (an IP datagram is at most 65,535 bytes with headers).
    pub const MAX_RUN: usize = 60_000;

    /// Forget what was sent; keep the memory.
    pub fn clear(&mut self) {
        self.buf.clear();
        self.runs.clear();
    }

    /// Append one datagram: `write` appends its bytes to the buffer. Joins the last run where GSO allows it.
    pub fn push(&mut self, path: Path, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.buf.len();
        write(&mut self.buf);
        let len = self.buf.len() - start;
        if len == 0 {
            return;
        }
        if let Some(run) = self.runs.last_mut() {
            let whole = run.len % run.segment == 0;
            let fits = run.len + len <= Self::MAX_RUN && run.len / run.segment < Self::MAX_SEGMENTS;
            if run.path == path && whole && fits && len <= run.segment && path.proto == Proto::Udp {
                run.len += len;
                return;
            }
        }
        self.runs.push(Run {
            path,
            start,
            len,
            segment: len,
        });
    }
}
