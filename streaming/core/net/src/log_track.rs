//! One track's files: records are gathered, written in whole batches, made durable, rotated and sealed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::log_format::{self, MAGIC, Record, kind};

/// A part is closed after this span …
pub(crate) const PART_US: u64 = 60_000_000;
/// … or this size.
pub(crate) const PART_BYTES: u64 = 32 << 20;

/// A track under way. Errors are the caller's to report; what could not be written is counted and said by a DROPPED record.
pub(crate) struct TrackLog {
    dir: PathBuf,
    track: u16,
    header: Vec<u8>,
    part: u32,
    open: Option<Part>,
    pending: Vec<u8>,
    pending_records: u32,
    lost: u32,
    begin_us: Option<u64>,
}

struct Part {
    file: File,
    name: String,
    bytes: u64,
    began_us: u64,
    hash: digest::Context,
    synced: bool,
}

impl TrackLog {
    /// A track of the directory `dir`; `header` is the body of its TRACK record (empty for the event track).
    pub(crate) fn new(dir: PathBuf, track: u16, header: Vec<u8>) -> Self {
        Self {
            dir,
            track,
            header,
            part: 0,
            open: None,
            pending: Vec::new(),
            pending_records: 0,
            lost: 0,
            begin_us: None,
        }
    }

    /// Make the first part at once, so that a track is seen before its first packet.
    pub(crate) fn begin(&mut self, unix_us: u64) {
        self.begin_us = Some(unix_us);
    }

    /// Gather a record.
    pub(crate) fn add(&mut self, kind: u8, unix_us: u64, body: &[u8]) {
        log_format::write(
            &mut self.pending,
            Record {
                kind,
                track: self.track,
                arrival_us: unix_us,
                body,
            },
        );
        self.pending_records += 1;
    }

    /// Bytes gathered and not yet written.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Write what was gathered; the bytes that reached the file system. On error the batch is lost and the file ends whole.
    pub(crate) fn flush(&mut self, unix_us: u64) -> io::Result<u64> {
        if self.pending.is_empty() && self.begin_us.is_none() {
            return Ok(0);
        }
        let begin_us = self.begin_us.take().unwrap_or(unix_us);
        let result = self.try_flush(begin_us);
        if result.is_err() {
            self.lost = self.lost.saturating_add(self.pending_records);
        } else {
            self.lost = 0;
        }
        self.pending.clear();
        self.pending_records = 0;
        result
    }

    fn try_flush(&mut self, unix_us: u64) -> io::Result<u64> {
        let full = self.open.as_ref().is_some_and(|part| {
            part.bytes >= PART_BYTES || unix_us.saturating_sub(part.began_us) >= PART_US
        });
        if full {
            self.seal()?;
        }
        let fresh = self.open.is_none();
        let mut part = match self.open.take() {
            Some(part) => part,
            None => self.next_part(unix_us)?,
        };
        let mut head = Vec::new();
        if fresh {
            head.extend_from_slice(&MAGIC);
            if !self.header.is_empty() {
                let record = Record {
                    kind: kind::TRACK,
                    track: self.track,
                    arrival_us: unix_us,
                    body: &self.header,
                };
                log_format::write(&mut head, record);
            }
        }
        if self.lost > 0 {
            let body = self.lost.to_le_bytes();
            let record = Record {
                kind: kind::DROPPED,
                track: self.track,
                arrival_us: unix_us,
                body: &body,
            };
            log_format::write(&mut head, record);
        }
        let result = part.append(&head, &self.pending);
        if result.is_err() && part.bytes == 0 {
            // Nothing of this part is good: the next attempt starts it again.
            let _ = std::fs::remove_file(self.dir.join(&part.name));
            self.part -= 1;
        } else {
            self.open = Some(part);
        }
        result
    }

    /// Start the next part that does not exist yet: nothing is ever overwritten.
    fn next_part(&mut self, unix_us: u64) -> io::Result<Part> {
        loop {
            self.part += 1;
            let name = format!("{:05}-{:06}.zwl", self.track, self.part);
            match OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(self.dir.join(&name))
            {
                Ok(file) => {
                    let hash = digest::Context::new(&digest::SHA256);
                    return Ok(Part {
                        file,
                        name,
                        bytes: 0,
                        began_us: unix_us,
                        hash,
                        synced: true,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    self.part -= 1;
                    return Err(error);
                }
            }
        }
    }

    /// Make what was written durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        match &mut self.open {
            Some(part) if !part.synced => {
                part.file.sync_data()?;
                part.synced = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Close the part under way and list it in `sealed.jsonl`.
    pub(crate) fn seal(&mut self) -> io::Result<()> {
        let Some(part) = self.open.take() else {
            return Ok(());
        };
        part.file.sync_data()?;
        let sum: String = part
            .hash
            .finish()
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let line = format!(
            "{{\"file\":\"{}\",\"bytes\":{},\"sha256\":\"{sum}\"}}\n",
            part.name, part.bytes
        );
        append_line(&self.dir.join("sealed.jsonl"), &line)
    }
}

impl Part {
    fn append(&mut self, head: &[u8], body: &[u8]) -> io::Result<u64> {
        let written = self
            .file
            .write_all(head)
            .and_then(|()| self.file.write_all(body));
        if let Err(error) = written {
            // A torn record would hide all later ones from readers.
            let _ = self.file.set_len(self.bytes);
            let _ = io::Seek::seek(&mut self.file, io::SeekFrom::Start(self.bytes));
            return Err(error);
        }
        self.hash.update(head);
        self.hash.update(body);
        self.synced = false;
        let added = (head.len() + body.len()) as u64;
        self.bytes += added;
        Ok(added)
    }
}

fn append_line(path: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_data()
}
