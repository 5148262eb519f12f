//! The log writer: one thread that owns all log files. Its errors become events; media never waits for a disk.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::path::PathBuf;
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
}

struct Writer {
    queue: Arc<LogQueue>,
    events: Arc<EventQueue>,
    clock: Clock,
    lessons: HashMap<LessonId, LessonLog>,
}

/// Start the thread; it ends after `Job::Stop`.
pub(crate) fn start(queue: Arc<LogQueue>, events: Arc<EventQueue>, clock: Clock) -> io::Result<JoinHandle<()>> {
    let writer = Writer { queue, events, clock, lessons: HashMap::new() };
    std::thread::Builder::new().name("zd-log".into()).spawn(move || writer.run())
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
        let (mut flush_at, mut sync_at, mut report_at) = (start + FLUSH_US, start + SYNC_US, start + REPORT_US);
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
            Job::OpenLesson(lesson, dir) => {
                let mut tracks = BTreeMap::new();
                tracks.insert(0, TrackLog::new(dir.clone(), 0, Vec::new()));
                let log = LessonLog { dir, tracks, bytes: 0, error: None, reported: (0, None) };
                self.lessons.insert(lesson, log);
            }
            Job::OpenTrack { lesson, track, header, unix_us } => {
                if let Some(log) = self.lessons.get_mut(&lesson) {
                    let mut new = TrackLog::new(log.dir.clone(), track, header);
                    new.begin(unix_us);
                    log.tracks.insert(track, new);
                }
            }
            Job::Record { record, unix_us } => self.add(record.lesson, record.track, record.kind, unix_us, &record.body),
            Job::Dropped { lesson, track, count, unix_us } => {
                self.add(lesson, track, kind::DROPPED, unix_us, &count.to_le_bytes());
            }
            Job::CloseTrack { lesson, track, reason } => {
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
        let Some(log) = self.lessons.get_mut(&lesson) else { return };
        let Some(file) = log.tracks.get_mut(&track) else { return };
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
        let Some(mut log) = self.lessons.remove(&lesson) else { return };
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
        let Some(mut file) = self.tracks.remove(&track) else { return };
        file.add(kind::END, unix_us, format!("{{\"reason\":\"{reason}\"}}").as_bytes());
        let result = file.flush(unix_us);
        self.note(result);
        let sealed = file.seal().map(|()| 0);
        self.note(sealed);
    }

    fn report(&mut self, lesson: LessonId, events: &EventQueue, sealed: bool) {
        self.reported = (self.bytes, self.error);
        events.push(CoreEvent::Log(LogEvent { lesson, bytes: self.bytes, error: self.error, sealed }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_format::records;
    use zhuandi_sfu::api::LogRecord;

    const LESSON: LessonId = LessonId(7);

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("zd-log-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    fn writer() -> Writer {
        Writer {
            queue: Arc::default(),
            events: Arc::new(EventQueue::new().unwrap()),
            clock: Clock::start(),
            lessons: HashMap::new(),
        }
    }

    fn rtp(unix_us: u64, bytes: usize) -> Job {
        let record = LogRecord { lesson: LESSON, track: 2, kind: kind::RTP, arrival_us: 0, body: vec![5; bytes] };
        Job::Record { record, unix_us }
    }

    fn open(writer: &mut Writer, dir: &std::path::Path, unix_us: u64) {
        writer.handle(Job::OpenLesson(LESSON, dir.into()));
        let header = br#"{"source":"camera"}"#.to_vec();
        writer.handle(Job::OpenTrack { lesson: LESSON, track: 2, header, unix_us });
    }

    fn kinds(path: PathBuf) -> Vec<u8> {
        records(&std::fs::read(path).unwrap()).map(|record| record.kind).collect()
    }

    #[test]
    fn a_closed_lesson_is_sealed_part_by_part_and_every_part_begins_with_its_track() {
        let dir = scratch("parts");
        let mut writer = writer();
        let began_us = writer.unix_us() - 70_000_000;
        open(&mut writer, &dir, began_us);
        for second in 0..70 {
            let unix_us = began_us + second * 1_000_000;
            writer.handle(rtp(unix_us, 100));
            for log in writer.lessons.values_mut() {
                log.tracks.get_mut(&2).unwrap().flush(unix_us).unwrap();
            }
        }
        writer.handle(Job::CloseLesson(LESSON));
        let (first, second) = (kinds(dir.join("00002-000001.zwl")), kinds(dir.join("00002-000002.zwl")));
        assert_eq!((first.len(), first[0], first[60]), (61, kind::TRACK, kind::RTP));
        assert_eq!((second.len(), second[0], second[11]), (12, kind::TRACK, kind::END));
        let sealed = std::fs::read_to_string(dir.join("sealed.jsonl")).unwrap();
        assert_eq!(sealed.lines().count(), 3, "{sealed}");
        let last = writer.events.take().pop_back();
        assert!(matches!(last, Some(CoreEvent::Log(LogEvent { sealed: true, error: None, .. }))), "{last:?}");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_second_log_in_the_same_directory_overwrites_nothing() {
        let dir = scratch("again");
        for _ in 0..2 {
            let mut writer = writer();
            open(&mut writer, &dir, 1);
            writer.handle(rtp(2, 10));
            writer.handle(Job::CloseLesson(LESSON));
        }
        let want = [kind::TRACK, kind::RTP, kind::END];
        assert_eq!(kinds(dir.join("00002-000001.zwl")), want);
        assert_eq!(kinds(dir.join("00002-000002.zwl")), want);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_disk_error_is_told_and_its_end_too_and_the_hole_is_in_the_log() {
        let dir = scratch("error");
        let mut writer = writer();
        open(&mut writer, &dir, 1);
        writer.flush_all();
        std::fs::rename(&dir, dir.with_extension("away")).unwrap();
        writer.handle(Job::CloseTrack { lesson: LESSON, track: 2, reason: "removed" });
        let header = br#"{"source":"screen"}"#.to_vec();
        writer.handle(Job::OpenTrack { lesson: LESSON, track: 2, header, unix_us: 1 });
        writer.handle(rtp(2, 10));
        writer.flush_all();
        let errors = |writer: &Writer| -> Vec<_> {
            let logs = writer.events.take().into_iter();
            logs.filter_map(|event| if let CoreEvent::Log(log) = event { Some(log.error) } else { None }).collect()
        };
        assert_eq!(errors(&writer), [Some("io")]);
        std::fs::rename(dir.with_extension("away"), &dir).unwrap();
        writer.handle(rtp(3, 10));
        writer.flush_all();
        assert_eq!(errors(&writer), [None]);
        writer.handle(Job::CloseLesson(LESSON));
        let got = kinds(dir.join("00002-000002.zwl"));
        assert_eq!(got, [kind::TRACK, kind::DROPPED, kind::RTP, kind::END]);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
