//! Reading `.zwl` track files for a player: whole in memory, bounded, tolerant of a torn end.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use zhuandi_sfu::api::{Played, PlayedPacket};

use crate::log_format::{kind, records};

/// Bytes of all files of one player: an hour at 1 Mbit/s.
const LIMIT_BYTES: u64 = 512 << 20;

/// The RTP packets of the files, one file an encoding (lowest first), on one time line that starts with the first packet.
///
/// `loop_us` 0 means: as long as the media.
pub(crate) fn read_played(paths: &[PathBuf], loop_us: i64) -> io::Result<Played> {
    let mut packets: Vec<(u64, PlayedPacket)> = Vec::new();
    let mut budget = LIMIT_BYTES;
    for (encoding, path) in paths.iter().enumerate() {
        let encoding = u8::try_from(encoding).map_err(|_| invalid("more than 255 files".into()))?;
        let size = std::fs::metadata(path)
            .map_err(|error| named(path, &error))?
            .len();
        budget = budget
            .checked_sub(size)
            .ok_or_else(|| invalid("more than 512 MB of media".into()))?;
        let file = std::fs::read(path).map_err(|error| named(path, &error))?;
        let before = packets.len();
        for record in records(&file).filter(|record| record.kind == kind::RTP) {
            let packet = PlayedPacket {
                at_us: 0,
                encoding,
                rtp: Arc::from(record.body),
            };
            packets.push((record.arrival_us, packet));
        }
        if packets.len() == before {
            return Err(invalid(format!(
                "{}: no RTP records: not a track of our log, or an empty one",
                path.display()
            )));
        }
    }
    packets.sort_by_key(|(arrival_us, _)| *arrival_us);
    let start = packets.first().map_or(0, |(arrival_us, _)| *arrival_us);
    let on_time_line = packets.into_iter().map(|(arrival_us, packet)| {
        let at_us = i64::try_from(arrival_us - start).unwrap_or(i64::MAX);
        PlayedPacket { at_us, ..packet }
    });
    let packets: Arc<[PlayedPacket]> = on_time_line.collect();
    let last = packets.last().map_or(0, |packet| packet.at_us);
    if loop_us != 0 && loop_us <= last {
        return Err(invalid(format!(
            "loop_us is {loop_us}, but the last packet comes at {last}"
        )));
    }
    // Without a length, one frame of 30 a second follows the last packet.
    let loop_us = if loop_us == 0 { last + 33_333 } else { loop_us };
    Ok(Played { packets, loop_us })
}

fn invalid(words: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

fn named(path: &std::path::Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_format::{MAGIC, Record, write};

    fn file(name: &str, arrivals: &[u64], torn: bool) -> PathBuf {
        let mut bytes = MAGIC.to_vec();
        for arrival_us in arrivals {
            write(
                &mut bytes,
                Record {
                    kind: kind::RTP,
                    track: 1,
                    arrival_us: *arrival_us,
                    body: &[0x80; 20],
                },
            );
        }
        if torn {
            bytes.pop();
        }
        let path = std::env::temp_dir().join(format!("zd-read-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn files_share_one_time_line_and_a_torn_end_costs_one_packet() {
        let paths = [
            file("a", &[1_000, 3_000], false),
            file("b", &[2_000, 4_000], true),
        ];
        let played = read_played(&paths, 0).unwrap();
        let got: Vec<_> = played
            .packets
            .iter()
            .map(|packet| (packet.at_us, packet.encoding))
            .collect();
        assert_eq!(got, [(0, 0), (1_000, 1), (2_000, 0)]);
        assert_eq!(played.loop_us, 2_000 + 33_333);
        assert!(
            read_played(&paths, 1_500).is_err(),
            "a loop shorter than its media"
        );
        paths
            .iter()
            .for_each(|path| std::fs::remove_file(path).unwrap());
    }

    #[test]
    fn what_is_no_log_is_said_with_its_name() {
        let path = std::env::temp_dir().join(format!("zd-read-{}-c", std::process::id()));
        std::fs::write(&path, b"RIFF....").unwrap();
        let error = read_played(std::slice::from_ref(&path), 0)
            .unwrap_err()
            .to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        std::fs::remove_file(&path).unwrap();
    }
}
