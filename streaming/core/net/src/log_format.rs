//! The bytes of the RTP log (PROTOCOL section 6): records to bytes and back.

/// First bytes of every file.
pub(crate) const MAGIC: [u8; 4] = *b"ZWL1";
/// len, crc32, type, track, arrival.
pub(crate) const HEAD: usize = 4 + 4 + 1 + 2 + 8;
/// Longest body that a reader takes: far above any packet or header, far below what a torn length could ask for.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// Record types.
pub(crate) mod kind {
    pub(crate) const RTP: u8 = 1;
    pub(crate) const TRACK: u8 = 3;
    pub(crate) const END: u8 = 4;
    pub(crate) const EVENT: u8 = 7;
    pub(crate) const DROPPED: u8 = 8;
}

/// One record as read; `body` borrows from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub kind: u8,
    pub track: u16,
    /// Unix time.
    pub arrival_us: u64,
    pub body: &'a [u8],
}

/// Append a record.
pub(crate) fn write(out: &mut Vec<u8>, record: Record<'_>) {
    let start = out.len();
    out.extend_from_slice(
        &u32::try_from(record.body.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    out.extend_from_slice(&[0; 4]);
    out.push(record.kind);
    out.extend_from_slice(&record.track.to_le_bytes());
    out.extend_from_slice(&record.arrival_us.to_le_bytes());
    out.extend_from_slice(record.body);
    let crc = crc32fast::hash(out.get(start + 8..).unwrap_or_default());
    if let Some(place) = out.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&crc.to_le_bytes());
    }
}

/// The records of a file up to the first that is short or damaged; nothing when the magic is missing.
pub(crate) fn records(file: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut rest = file.strip_prefix(&MAGIC).unwrap_or_default();
    std::iter::from_fn(move || {
        let (record, next) = read(rest)?;
        rest = next;
        Some(record)
    })
}

fn read(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let len = u32::from_le_bytes(*len) as usize;
    if len > MAX_BODY {
        return None;
    }
    let (covered, next) = rest.split_at_checked(HEAD - 8 + len)?;
    if crc32fast::hash(covered) != u32::from_le_bytes(*crc) {
        return None;
    }
    let (kind, covered) = covered.split_first()?;
    let (track, covered) = covered.split_first_chunk::<2>()?;
    let (arrival, body) = covered.split_first_chunk::<8>()?;
    let record = Record {
        kind: *kind,
        track: u16::from_le_bytes(*track),
        arrival_us: u64::from_le_bytes(*arrival),
        body,
    };
    Some((record, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        write(
            &mut out,
            Record {
                kind: kind::TRACK,
                track: 3,
                arrival_us: 5,
                body: b"{}",
            },
        );
        write(
            &mut out,
            Record {
                kind: kind::RTP,
                track: 3,
                arrival_us: u64::MAX,
                body: &[9; 1200],
            },
        );
        out
    }

    #[test]
    fn records_come_back_as_written() {
        let file = sample();
        let got: Vec<_> = records(&file)
            .map(|record| (record.kind, record.arrival_us, record.body.len()))
            .collect();
        assert_eq!(got, [(kind::TRACK, 5, 2), (kind::RTP, u64::MAX, 1200)]);
    }

    #[test]
    fn a_reader_stops_at_a_torn_tail_wherever_it_is_torn() {
        let file = sample();
        for end in 0..file.len() {
            let count = records(&file[..end]).count();
            assert_eq!(
                count,
                usize::from(end >= MAGIC.len() + HEAD + 2),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn a_flipped_bit_ends_the_good_part() {
        let file = sample();
        for at in MAGIC.len() + HEAD + 2..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 0x10;
            assert_eq!(records(&bad).count(), 1, "byte {at}");
        }
    }
}
