//! Where a DTLS 1.2 hello names its SRTP profiles, and reading a ClientHello out of fragments (RFC 6347 4.2.2, RFC 5764 4.1.1).

use std::ops::Range;

/// Handshake type of ClientHello.
pub(super) const CLIENT_HELLO: u8 = 1;
/// Handshake type of ServerHello.
pub(super) const SERVER_HELLO: u8 = 2;

const RECORD_HEADER: usize = 13;
const MESSAGE_HEADER: usize = 12;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const USE_SRTP: u16 = 14;
/// A ClientHello with post-quantum key shares has 1.4 KB; nobody's has more than this.
const MAX_HELLO: usize = 8_192;

/// One handshake message or fragment: its header fields and where its bytes lie.
pub(super) struct Fragment {
    pub(super) kind: u8,
    total: usize,
    sequence: u16,
    offset: usize,
    pub(super) body: Range<usize>,
}

impl Fragment {
    /// The fragment at `at` of `bytes`.
    pub(super) fn parse(bytes: &[u8], at: usize) -> Option<Self> {
        let &[kind, t0, t1, t2, s0, s1, o0, o1, o2, n0, n1, n2] = bytes.get(at..)?.first_chunk()?;
        let [total, offset, len] = [[t0, t1, t2], [o0, o1, o2], [n0, n1, n2]]
            .map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]) as usize);
        let start = at + MESSAGE_HEADER;
        let body = start..start + len;
        bytes.get(body.clone())?;
        Some(Self {
            kind,
            total,
            sequence: u16::from_be_bytes([s0, s1]),
            offset,
            body,
        })
    }

    /// The message is here as a whole.
    pub(super) fn is_whole(&self) -> bool {
        self.offset == 0 && self.body.len() == self.total
    }
}

/// One DTLS record of a datagram.
struct Record {
    kind: u8,
    is_plain: bool,
    body: Range<usize>,
}

fn records(datagram: &[u8]) -> impl Iterator<Item = Record> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let &[kind, _, _, e0, e1, _, _, _, _, _, _, l0, l1] = datagram.get(at..)?.first_chunk()?;
        let start = at + RECORD_HEADER;
        at = start + usize::from(u16::from_be_bytes([l0, l1]));
        datagram.get(start..at)?;
        Some(Record {
            kind,
            is_plain: [e0, e1] == [0, 0],
            body: start..at,
        })
    })
}

/// The datagram holds an alert that nothing authenticates.
pub(super) fn has_plain_alert(datagram: &[u8]) -> bool {
    records(datagram).any(|record| record.kind == ALERT && record.is_plain)
}

/// The plaintext handshake fragments of a datagram.
pub(super) fn fragments(datagram: &[u8]) -> Vec<Fragment> {
    let mut found = Vec::new();
    for record in records(datagram).filter(|record| record.kind == HANDSHAKE && record.is_plain) {
        let mut inside = record.body.start;
        while let Some(fragment) = datagram
            .get(..record.body.end)
            .and_then(|whole| Fragment::parse(whole, inside))
        {
            inside = fragment.body.end;
            found.push(fragment);
        }
    }
    found
}

/// Where the list of profile numbers lies in the body of a hello.
pub(super) fn profiles_in_hello(kind: u8, body: &[u8]) -> Option<Range<usize>> {
    let mut at = 34;
    at += 1 + byte(body, at)?;
    if kind == CLIENT_HELLO {
        at += 1 + byte(body, at)?;
        at += 2 + word(body, at)?;
        at += 1 + byte(body, at)?;
    } else {
        at += 3;
    }
    let end = at + 2 + word(body, at)?;
    at += 2;
    while at + 4 <= end {
        let (kind, len) = (word(body, at)?, word(body, at + 2)?);
        if kind == usize::from(USE_SRTP) {
            let list = at + 6..at + 6 + word(body, at + 4)?;
            return (list.end <= at + 4 + len && body.get(list.clone()).is_some()).then_some(list);
        }
        at += 4 + len;
    }
    None
}

fn byte(body: &[u8], at: usize) -> Option<usize> {
    body.get(at).map(|value| usize::from(*value))
}

fn word(body: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(
        *body.get(at..)?.first_chunk()?,
    )))
}

/// The profile numbers of a list.
pub(super) fn numbers(list: &[u8]) -> impl Iterator<Item = u16> + '_ {
    list.chunks_exact(2)
        .filter_map(|pair| pair.first_chunk().map(|pair| u16::from_be_bytes(*pair)))
}

/// Reads what the peer's ClientHello offers, from fragments in any order.
#[derive(Default)]
pub(super) struct OfferReader {
    sequence: u16,
    body: Vec<u8>,
    filled: Vec<bool>,
    /// The profile numbers that the last whole ClientHello offered.
    pub(super) offered: Vec<u16>,
}

impl OfferReader {
    /// Look at a datagram of the peer.
    pub(super) fn look(&mut self, datagram: &[u8]) {
        for fragment in fragments(datagram) {
            if fragment.kind == CLIENT_HELLO && fragment.total <= MAX_HELLO {
                self.add(&fragment, datagram);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn bytes_kept(&self) -> usize {
        self.body.capacity() + self.filled.capacity()
    }

    fn add(&mut self, fragment: &Fragment, datagram: &[u8]) -> Option<()> {
        if self.body.len() != fragment.total || self.sequence != fragment.sequence {
            self.sequence = fragment.sequence;
            self.body = vec![0; fragment.total];
            self.filled = vec![false; fragment.total];
        }
        let place = fragment.offset..fragment.offset.checked_add(fragment.body.len())?;
        self.body
            .get_mut(place.clone())?
            .copy_from_slice(datagram.get(fragment.body.clone())?);
        self.filled.get_mut(place)?.fill(true);
        if self.filled.iter().all(|filled| *filled) {
            let list = profiles_in_hello(CLIENT_HELLO, &self.body)?;
            self.offered = numbers(self.body.get(list)?).collect();
            (self.body, self.filled) = (Vec::new(), Vec::new());
        }
        Some(())
    }
}

/// Read what may be a ClientHello, as a fuzz target: bounded memory, and only numbers that are in the datagrams.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read_any(data: &[u8]) {
    let mut reader = OfferReader::default();
    for datagram in data.chunks(1_200) {
        reader.look(datagram);
        assert!(reader.body.len() <= MAX_HELLO && reader.filled.len() == reader.body.len());
        assert!(
            reader.offered.len() <= MAX_HELLO / 2,
            "more profiles than bytes"
        );
    }
}
