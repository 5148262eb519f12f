//! The log writer: one thread that owns all log files. Its errors become events; media never waits for a disk.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use zhuandi_sfu::api::LessonId;

use crate::clock::Clock;
use crate::events::{CoreEvent, EventQueue, LogEvent};
use crate::log_format::kind;
use crate::log_queue::{Job, LogQueue};
use crate::log_track::TrackLog;

/// At most this much is lost when the process is killed …
const FLUSH_US: i64 = 200_000;
/// … and this much when the machine is.
const SYNC_US: i64 = 2_000_000;
const REPORT_US: i64 = 1_000_000;
/// A track with more than this is flushed at once.
const FLUSH_BYTES: usize = 1 << 20;

struct LessonLog {
    dir: PathBuf,
    tracks: BTreeMap<u16, TrackLog>,
    bytes: u64,
    error: Option<&'static str>,
    reported: (u64, Option<&'static str>),
    /// Held until the log is sealed, also by a kill: who gets it knows that nobody writes here any more.
    _lock: File,
}

/// Make a lesson's directory and take its `writer.lock`, before the first file (PROTOCOL section 6).
pub(crate) fn lock_directory(dir: &Path) -> io::Result<File> {
    std::fs::create_dir_all(dir)?;
    let lock = File::create(dir.join("writer.lock"))?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            io::Error::new(ErrorKind::ResourceBusy, "another process writes this log")
        }
        TryLockError::Error(error) => error,
    })?;
    Ok(lock)
}

struct Writer {
    queue: Arc<LogQueue>,
    events: Arc<EventQueue>,
    clock: Clock,
    lessons: HashMap<LessonId, LessonLog>,
}

/// Start the thread; it ends after `Job::Stop`.
pub(crate) fn start(
    queue: Arc<LogQueue>,
    events: Arc<EventQueue>,
    clock: Clock,
) -> io::Result<JoinHandle<()>> {
    let writer = Writer {
        queue,
        events,
        clock,
        lessons: HashMap::new(),
    };
    std::thread::Builder::new()
        .name("zd-log".into())
        .spawn(move || writer.run())
}

/// The word for an error that the control plane shows to people.
fn code_of(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::ENOSPC | libc::EDQUOT) => "disk_full",
        _ => "io",
    }
}

impl Writer {
    fn run(mut self) {
        let mut jobs = VecDeque::new();
        let start = self.clock.now().0;
        let (mut flush_at, mut sync_at, mut report_at) =
            (start + FLUSH_US, start + SYNC_US, start + REPORT_US);
        loop {
            let now = self.clock.now().0;
            let wait = Duration::from_micros(u64::try_from(flush_at - now).unwrap_or(0));
            self.queue.take(wait, &mut jobs);
            for job in jobs.drain(..) {
                if matches!(job, Job::Stop) {
                    self.stop();
                    return;
                }
                self.handle(job);
            }
            let now = self.clock.now().0;
            if now >= flush_at {
                self.flush_all();
                flush_at = now + FLUSH_US;
            }
            if now >= sync_at {
                self.each_track(|log| log.sync().map(|()| 0));
                sync_at = now + SYNC_US;
            }
            if now >= report_at {
                self.report();
                report_at = now + REPORT_US;
            }
        }
    }

    fn unix_us(&self) -> u64 {
        self.clock.unix_us(self.clock.now().0)
    }

    fn handle(&mut self, job: Job) {
        match job {
            Job::OpenLesson(lesson, dir, lock) => {
                let mut tracks = BTreeMap::new();
                tracks.insert(0, TrackLog::new(dir.clone(), 0, Vec::new()));
                let log = LessonLog {
                    dir,
                    tracks,
                    bytes: 0,
                    error: None,
                    reported: (0, None),
                    _lock: lock,
                };
                self.lessons.insert(lesson, log);
            }
            Job::OpenTrack {
                lesson,
                track,
                header,
                unix_us,
            } => {
                if let Some(log) = self.lessons.get_mut(&lesson) {
                    let mut new = TrackLog::new(log.dir.clone(), track, header);
                    new.begin(unix_us);
                    log.tracks.insert(track, new);
                }
            }
            Job::Record { record, unix_us } => self.add(
                record.lesson,
                record.track,
                record.kind,
                unix_us,
                &record.body,
            ),
            Job::Dropped {
                lesson,
                track,
                count,
                unix_us,
            } => {
                self.add(lesson, track, kind::DROPPED, unix_us, &count.to_le_bytes());
            }
            Job::CloseTrack {
                lesson,
                track,
                reason,
            } => {
                let unix_us = self.unix_us();
                if let Some(log) = self.lessons.get_mut(&lesson) {
                    log.close_track(track, reason, unix_us);
                }
            }
            Job::CloseLesson(lesson) => self.close_lesson(lesson),
            Job::Stop => {}
        }
    }

    fn add(&mut self, lesson: LessonId, track: u16, kind: u8, unix_us: u64, body: &[u8]) {
        let Some(log) = self.lessons.get_mut(&lesson) else {
            return;
        };
        let Some(file) = log.tracks.get_mut(&track) else {
            return;
        };
        file.add(kind, unix_us, body);
        if file.pending() > FLUSH_BYTES {
            let result = file.flush(unix_us);
            log.note(result);
        }
    }

    fn each_track(&mut self, mut action: impl FnMut(&mut TrackLog) -> io::Result<u64>) {
        for log in self.lessons.values_mut() {
            let mut failed = None;
            for file in log.tracks.values_mut() {
                match action(file) {
                    Ok(bytes) => log.bytes += bytes,
                    Err(error) => failed = Some(error),
                }
            }
            if let Some(error) = failed {
                log.error = Some(code_of(&error));
            }
        }
    }

    fn flush_all(&mut self) {
        let unix_us = self.unix_us();
        for log in self.lessons.values_mut() {
            if log.tracks.values().any(|file| file.pending() > 0) {
                log.error = None;
            }
        }
        self.each_track(|file| file.flush(unix_us));
        for (lesson, log) in &mut self.lessons {
            // A new error is told at once; growth waits for the report.
            if log.error != log.reported.1 {
                log.report(*lesson, &self.events, false);
            }
        }
    }

    fn report(&mut self) {
        for (lesson, log) in &mut self.lessons {
            if (log.bytes, log.error) != log.reported {
                log.report(*lesson, &self.events, false);
            }
        }
    }

    fn close_lesson(&mut self, lesson: LessonId) {
        let unix_us = self.unix_us();
        let Some(mut log) = self.lessons.remove(&lesson) else {
            return;
        };
        let tracks: Vec<u16> = log.tracks.keys().copied().collect();
        for track in tracks {
            log.close_track(track, "lesson_closed", unix_us);
        }
        log.report(lesson, &self.events, true);
    }

    fn stop(&mut self) {
        let lessons: Vec<LessonId> = self.lessons.keys().copied().collect();
        for lesson in lessons {
            self.close_lesson(lesson);
        }
    }
}

impl LessonLog {
    fn note(&mut self, result: io::Result<u64>) {
        match result {
            Ok(bytes) => self.bytes += bytes,
            Err(error) => self.error = Some(code_of(&error)),
        }
    }

    fn close_track(&mut self, track: u16, reason: &str, unix_us: u64) {
        let Some(mut file) = self.tracks.remove(&track) else {
            return;
        };
        file.add(
            kind::END,
            unix_us,
            format!("{{\"reason\":\"{reason}\"}}").as_bytes(),
        );
        let result = file.flush(unix_us);
        self.note(result);
        let sealed = file.seal().map(|()| 0);
        self.note(sealed);
    }

    fn report(&mut self, lesson: LessonId, events: &EventQueue, sealed: bool) {
        self.reported = (self.bytes, self.error);
        events.push(CoreEvent::Log(LogEvent {
            lesson,
            bytes: self.bytes,
            error: self.error,
            sealed,
        }));
    }
}

#[cfg(test)]
#[path = "log_writer_tests.rs"]
mod tests;
