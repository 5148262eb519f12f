//! Tests of the log writer.

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
        clock: Clock::start().0,
        lessons: HashMap::new(),
    }
}

fn rtp(unix_us: u64, bytes: usize) -> Job {
    let record = LogRecord {
        lesson: LESSON,
        track: 2,
        kind: kind::RTP,
        arrival_us: 0,
        body: vec![5; bytes],
    };
    Job::Record { record, unix_us }
}

fn open(writer: &mut Writer, dir: &Path, unix_us: u64) {
    writer.handle(Job::OpenLesson(
        LESSON,
        dir.into(),
        lock_directory(dir).unwrap(),
    ));
    let header = br#"{"source":"camera"}"#.to_vec();
    writer.handle(Job::OpenTrack {
        lesson: LESSON,
        track: 2,
        header,
        unix_us,
    });
}

fn kinds(path: PathBuf) -> Vec<u8> {
    records(&std::fs::read(path).unwrap())
        .map(|record| record.kind)
        .collect()
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
    let (first, second) = (
        kinds(dir.join("00002-000001.zwl")),
        kinds(dir.join("00002-000002.zwl")),
    );
    assert_eq!(
        (first.len(), first[0], first[60]),
        (61, kind::TRACK, kind::RTP)
    );
    assert_eq!(
        (second.len(), second[0], second[11]),
        (12, kind::TRACK, kind::END)
    );
    let sealed = std::fs::read_to_string(dir.join("sealed.jsonl")).unwrap();
    assert_eq!(sealed.lines().count(), 3, "{sealed}");
    let last = writer.events.take().pop_back();
    assert!(
        matches!(
            last,
            Some(CoreEvent::Log(LogEvent {
                sealed: true,
                error: None,
                ..
            }))
        ),
        "{last:?}"
    );
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
    writer.handle(Job::CloseTrack {
        lesson: LESSON,
        track: 2,
        reason: "removed",
    });
    let header = br#"{"source":"screen"}"#.to_vec();
    writer.handle(Job::OpenTrack {
        lesson: LESSON,
        track: 2,
        header,
        unix_us: 1,
    });
    writer.handle(rtp(2, 10));
    writer.flush_all();
    let errors = |writer: &Writer| -> Vec<_> {
        let logs = writer.events.take().into_iter();
        logs.filter_map(|event| {
            if let CoreEvent::Log(log) = event {
                Some(log.error)
            } else {
                None
            }
        })
        .collect()
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
