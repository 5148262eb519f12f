//! Measured capacity over time, from CSV.

use std::fmt;

const HEADER: &str = "time_s,capacity_kbps";
/// A day of 100 ms steps.
const MAX_ROWS: usize = 864_000;
const MAX_KBPS: f64 = 100_000_000.0;
/// How long the row of a file with one row holds.
const LONE_STEP_US: i64 = 1_000_000;

/// Why a file is no trace: where and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// The name that was given to [`Trace::parse`].
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// In words.
    pub what: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

impl std::error::Error for TraceError {}

/// From `from_us` on, `bps`; `before` is the work done until then in one round, in bit/s x microseconds.
#[derive(Clone, Debug)]
struct Step {
    from_us: i64,
    bps: u64,
    before: u128,
}

/// Capacity in steps, repeated for ever.
#[derive(Clone, Debug)]
pub struct Trace {
    steps: Vec<Step>,
    period_us: i64,
    total: u128,
}

impl Trace {
    /// Read `time_s,capacity_kbps` rows; `file` only names the text in errors. The last row holds for the median step.
    pub fn parse(file: &str, text: &str) -> Result<Self, TraceError> {
        let error = |line: usize, what: String| TraceError {
            file: file.to_owned(),
            line,
            what,
        };
        let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
        let header = lines.next().map_or("", |(_, line)| line.trim());
        if header != HEADER {
            return Err(error(1, format!("the first line must be `{HEADER}`")));
        }
        let mut rows: Vec<(i64, u64)> = Vec::new();
        for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let row = parse_row(line).map_err(|what| error(index + 1, what))?;
            match rows.last() {
                None if row.0 != 0 => return Err(error(index + 1, "time must start at 0".into())),
                Some(last) if row.0 <= last.0 => {
                    return Err(error(index + 1, "time must grow from row to row".into()));
                }
                _ if rows.len() == MAX_ROWS => {
                    return Err(error(index + 1, format!("more than {MAX_ROWS} rows")));
                }
                _ => rows.push(row),
            }
        }
        let last_line = text.lines().count().max(1);
        Self::from_steps(&rows).ok_or_else(|| error(last_line, "no row has capacity".into()))
    }

    /// From `(start in microseconds, bit/s)`, growing from 0; `None` when they do not, or when nothing ever passes.
    pub fn from_steps(rows: &[(i64, u64)]) -> Option<Self> {
        let (first, last) = (rows.first()?, rows.last()?);
        let mut gaps: Vec<i64> = rows
            .windows(2)
            .filter_map(|pair| Some(pair.last()?.0.saturating_sub(pair.first()?.0)))
            .collect();
        if first.0 != 0 || gaps.iter().any(|gap| *gap <= 0) {
            return None;
        }
        gaps.sort_unstable();
        let period_us = last
            .0
            .checked_add(gaps.get(gaps.len() / 2).copied().unwrap_or(LONE_STEP_US))?;
        let ends = rows.iter().skip(1).map(|row| row.0).chain([period_us]);
        let mut total = 0;
        let mut steps = Vec::with_capacity(rows.len());
        for (&(from_us, bps), end) in rows.iter().zip(ends) {
            steps.push(Step {
                from_us,
                bps,
                before: total,
            });
            total += work(bps, end - from_us);
        }
        (total > 0).then_some(Self {
            steps,
            period_us,
            total,
        })
    }

    /// What [`Trace::from_steps`] makes this trace of.
    pub fn rows(&self) -> Vec<(i64, u64)> {
        let row = |step: &Step| (step.from_us, step.bps);
        self.steps.iter().map(row).collect()
    }

    /// One round, in microseconds.
    pub fn period_us(&self) -> i64 {
        self.period_us
    }

    /// Over one round, in bit/s.
    pub fn mean_bps(&self) -> u64 {
        let span = u128::from(self.period_us.unsigned_abs()).max(1);
        u64::try_from(self.total / span).unwrap_or(u64::MAX)
    }

    /// Work that could be done from 0 to `at_us`, in bit/s x microseconds.
    pub(crate) fn work_until(&self, at_us: i64) -> u128 {
        let at_us = at_us.max(0);
        let rounds = u128::from((at_us / self.period_us).unsigned_abs());
        let within = at_us % self.period_us;
        let index = self.steps.partition_point(|step| step.from_us <= within);
        let done = index
            .checked_sub(1)
            .and_then(|index| self.steps.get(index))
            .map_or(0, |step| {
                step.before + work(step.bps, within - step.from_us)
            });
        rounds * self.total + done
    }

    /// The first time by which this much work could be done since 0.
    pub(crate) fn time_of(&self, goal: u128) -> i64 {
        let Some(before) = goal.checked_sub(1) else {
            return 0;
        };
        let rounds = i64::try_from(before / self.total).unwrap_or(i64::MAX);
        let within = before % self.total + 1;
        let index = self.steps.partition_point(|step| step.before < within);
        let at_us = index
            .checked_sub(1)
            .and_then(|index| self.steps.get(index))
            .map_or(0, |step| {
                let span = (within - step.before).div_ceil(u128::from(step.bps.max(1)));
                step.from_us + i64::try_from(span).unwrap_or(i64::MAX)
            });
        rounds.saturating_mul(self.period_us).saturating_add(at_us)
    }
}

/// A rate over a span, in bit/s x microseconds: a millionth of a bit, so that nothing is rounded away.
pub(crate) fn work(bps: u64, span_us: i64) -> u128 {
    u128::from(bps) * u128::from(span_us.max(0).unsigned_abs())
}

fn parse_row(line: &str) -> Result<(i64, u64), String> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [time, capacity] = fields.as_slice() else {
        return Err(format!("{} fields where two are expected", fields.len()));
    };
    let time_s = number("time_s", time)?;
    let kbps = number("capacity_kbps", capacity)?;
    if kbps > MAX_KBPS {
        return Err(format!("a capacity of {kbps} kbit/s is above {MAX_KBPS}"));
    }
    Ok(((time_s * 1e6).round() as i64, (kbps * 1e3).round() as u64))
}

fn number(name: &str, text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        Ok(_) => Err(format!("{name} must be a number of at least 0, not {text}")),
        Err(_) => Err(format!("{name} is no number: {text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn traces() -> impl Strategy<Value = Trace> {
        let rows = prop::collection::vec((1_i64..10_000, 0_u64..5_000_000), 1..30);
        rows.prop_filter_map("carries nothing", |rows| {
            let start = |index: usize| rows.iter().take(index).map(|row| row.0).sum::<i64>();
            let rows: Vec<(i64, u64)> = (rows.iter().enumerate())
                .map(|(index, row)| (start(index), row.1))
                .collect();
            Trace::from_steps(&rows)
        })
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_to_be_refused_in_words(rows in ".{0,200}") {
            let _ = Trace::parse("x.csv", &rows);
            let _ = Trace::parse("x.csv", &format!("{HEADER}\n{rows}"));
        }

        #[test]
        fn what_is_written_as_csv_is_read_again(trace in traces()) {
            let line = |(us, bps): (i64, u64)| format!("{},{}\n", us as f64 / 1e6, bps as f64 / 1e3);
            let text: String = trace.rows().into_iter().map(line).collect();
            let read = Trace::parse("x.csv", &format!("{HEADER}\n{text}")).unwrap();
            prop_assert_eq!(read.rows(), trace.rows());
        }

        #[test]
        fn work_is_done_at_the_first_moment_at_which_it_can_be(trace in traces(), rounds in 0.0_f64..5.0) {
            let goal = (trace.total as f64 * rounds) as u128;
            let at = trace.time_of(goal);
            prop_assert!(trace.work_until(at) >= goal);
            prop_assert!(at == 0 || trace.work_until(at - 1) < goal);
        }
    }

    fn refusal(text: &str) -> String {
        Trace::parse("bus.csv", text).unwrap_err().to_string()
    }

    #[test]
    fn a_mistake_is_named_by_file_line_and_kind() {
        let with = |rows: &str| refusal(&format!("{HEADER}\n{rows}"));
        assert_eq!(
            refusal("time,kbps\n0,1"),
            "bus.csv:1: the first line must be `time_s,capacity_kbps`"
        );
        assert_eq!(
            refusal(""),
            "bus.csv:1: the first line must be `time_s,capacity_kbps`"
        );
        assert_eq!(
            with("0,10\n1"),
            "bus.csv:3: 1 fields where two are expected"
        );
        assert_eq!(
            with("0,10\n1,fast"),
            "bus.csv:3: capacity_kbps is no number: \"fast\""
        );
        assert_eq!(
            with("0,-1"),
            "bus.csv:2: capacity_kbps must be a number of at least 0, not -1"
        );
        assert_eq!(
            with("0,NaN"),
            "bus.csv:2: capacity_kbps must be a number of at least 0, not NaN"
        );
        assert_eq!(with("1,10"), "bus.csv:2: time must start at 0");
        assert_eq!(
            with("0,10\n2,10\n2,11"),
            "bus.csv:4: time must grow from row to row"
        );
        assert_eq!(with("0,0\n1,0\n"), "bus.csv:3: no row has capacity");
        assert_eq!(with(""), "bus.csv:1: no row has capacity");
        assert_eq!(
            with("0,1e12"),
            "bus.csv:2: a capacity of 1000000000000 kbit/s is above 100000000"
        );
    }

    #[test]
    fn windows_line_ends_and_a_byte_order_mark_are_read() {
        let trace = Trace::parse(
            "a.csv",
            "\u{feff}time_s,capacity_kbps\r\n0, 100\r\n1, 300\r\n",
        )
        .unwrap();
        assert_eq!(trace.mean_bps(), 200_000);
        assert_eq!(trace.period_us(), 2_000_000);
    }

    #[test]
    fn the_last_row_holds_for_the_median_step_and_then_the_trace_begins_again() {
        let trace = Trace::parse("a.csv", "time_s,capacity_kbps\n0,8\n1,0\n2,16\n5,8\n").unwrap();
        assert_eq!(trace.period_us(), 6_000_000);
        assert_eq!(trace.total, work(8_000 + 3 * 16_000 + 8_000, 1_000_000));
        for round in 0..3 {
            let start = round * 6_000_000;
            let bits = |at| trace.work_until(start + at) - trace.work_until(start);
            assert_eq!(bits(500_000), work(8_000, 500_000));
            assert_eq!(bits(1_500_000), work(8_000, 1_000_000));
            assert_eq!(bits(2_500_000), work(16_000, 1_000_000));
        }
    }

    #[test]
    fn work_ends_when_the_capacity_for_it_has_passed() {
        let trace = Trace::from_steps(&[(0, 1_000), (10, 0), (20, 2_000)]).unwrap();
        assert_eq!(trace.time_of(0), 0);
        assert_eq!(trace.time_of(1), 1);
        assert_eq!(trace.time_of(10_000), 10, "just before the gap");
        assert_eq!(trace.time_of(10_001), 21, "across the gap");
        assert_eq!(trace.time_of(30_000), 30, "a whole round");
        assert_eq!(trace.time_of(30_001), 31, "the next round");
    }

    #[test]
    fn steps_that_do_not_grow_from_zero_are_no_trace() {
        assert!(Trace::from_steps(&[]).is_none());
        assert!(Trace::from_steps(&[(1, 5)]).is_none());
        assert!(Trace::from_steps(&[(0, 5), (0, 6)]).is_none());
        assert!(Trace::from_steps(&[(0, 0)]).is_none());
    }
}
