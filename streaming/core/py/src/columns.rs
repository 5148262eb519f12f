//! Tables as dicts of numpy columns; the columns' memory is given away, not copied by Python.

use numpy::{Element, IntoPyArray, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use zhuandi_sfu::api::{LayerRow, RateRow, SubscriptionId, TransportId};
use zhuandi_sfu::report::{FeedbackRow, MAX_GROUPS, Stats, TEMPORAL_LAYERS};

use crate::errors::bad;

/// One column of a table.
pub(crate) fn put<'py, R, T: Element>(
    table: &Bound<'py, PyDict>,
    name: &str,
    rows: &[R],
    field: impl Fn(&R) -> T,
) -> PyResult<()> {
    let column: Vec<T> = rows.iter().map(field).collect();
    table.set_item(name, column.into_pyarray(table.py()))
}

/// Milliseconds; NaN where nothing is known.
fn ms(us: Option<i64>) -> f64 {
    us.map_or(f64::NAN, |us| us as f64 / 1000.0)
}

/// `take_feedback`.
pub(crate) fn feedback<'py>(py: Python<'py>, rows: &[FeedbackRow]) -> PyResult<Bound<'py, PyDict>> {
    let table = PyDict::new(py);
    put(&table, "transport", rows, |row| row.transport)?;
    put(&table, "remb_bps", rows, |row| row.remb_bps)?;
    put(&table, "rtt_us", rows, |row| row.rtt_us)?;
    put(&table, "heard", rows, |row| row.heard as u8)?;
    put(&table, "sent_bytes", rows, |row| row.sent_bytes)?;
    put(&table, "acked_bytes", rows, |row| row.acked_bytes)?;
    put(&table, "acked_packets", rows, |row| row.acked_packets)?;
    put(&table, "lost", rows, |row| row.lost)?;
    put(&table, "expected", rows, |row| row.expected)?;
    put(&table, "loss_runs", rows, |row| row.loss_runs)?;
    groups(&table, rows)?;
    put(&table, "delay_ms", rows, |row| ms(row.delay_us))?;
    put(&table, "delay_mean_ms", rows, |row| ms(row.delay_mean_us))?;
    put(&table, "arrival_ms", rows, |row| ms(row.arrival_us))?;
    put(&table, "feedback_age_us", rows, |row| row.feedback_age_us)?;
    put(&table, "in_flight_bytes", rows, |row| row.in_flight_bytes)?;
    put(&table, "queue_us", rows, |row| row.queue_us)?;
    put(&table, "queue_bytes", rows, |row| row.queue_bytes)?;
    put(&table, "probe_sent_bps", rows, |row| row.probe_sent_bps)?;
    put(&table, "probe_acked_bps", rows, |row| row.probe_acked_bps)?;
    put(&table, "probe_state", rows, |row| row.probe_state as u8)?;
    put(&table, "padding_bytes", rows, |row| row.padding_bytes)?;
    put(&table, "repair_bytes", rows, |row| row.repair_bytes)?;
    put(&table, "sound_bytes", rows, |row| row.sound_bytes)?;
    put(&table, "still_bytes", rows, |row| row.still_bytes)?;
    put(&table, "still_acked_bytes", rows, |row| {
        row.still_acked_bytes
    })?;
    put(&table, "still_left_bytes", rows, |row| row.still_left_bytes)?;
    put(&table, "sound_wait_us", rows, |row| row.sound_wait_us)?;
    Ok(table)
}

fn groups(table: &Bound<'_, PyDict>, rows: &[FeedbackRow]) -> PyResult<()> {
    put(table, "group_count", rows, |row| {
        u8::try_from(row.groups.len().min(MAX_GROUPS)).unwrap_or(0)
    })?;
    let mut all: Vec<f64> = Vec::with_capacity(rows.len() * MAX_GROUPS * 3);
    for (row, end) in rows.iter().zip(1..) {
        for group in row.groups.iter().take(MAX_GROUPS) {
            let us = [group.send_delta_us, group.recv_delta_us, group.arrival_us];
            all.extend(us.map(|us| ms(Some(us))));
        }
        all.resize(end * MAX_GROUPS * 3, 0.0);
    }
    let all = all.into_pyarray(table.py());
    table.set_item("groups", all.reshape([rows.len(), MAX_GROUPS, 3])?)
}

/// `take_stats`.
pub(crate) fn stats<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyDict>> {
    let tables = PyDict::new(py);
    tables.set_item("transports", transports(py, stats)?)?;
    tables.set_item("encodings", encodings(py, stats)?)?;
    tables.set_item("subscriptions", subscriptions(py, stats)?)?;
    let drops = PyDict::new(py);
    let numbered: Vec<(u8, u64)> = (0..).zip(stats.drops.iter().copied()).collect();
    put(&drops, "reason", &numbered, |row| row.0)?;
    put(&drops, "count", &numbered, |row| row.1)?;
    tables.set_item("drops", drops)?;
    Ok(tables)
}

fn transports<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyDict>> {
    let (table, rows) = (PyDict::new(py), stats.transports.as_slice());
    put(&table, "transport", rows, |row| row.transport)?;
    put(&table, "connected", rows, |row| u8::from(row.connected))?;
    put(&table, "tcp", rows, |row| u8::from(row.tcp))?;
    put(&table, "rx_packets", rows, |row| row.rx_packets)?;
    put(&table, "rx_bytes", rows, |row| row.rx_bytes)?;
    put(&table, "tx_packets", rows, |row| row.tx_packets)?;
    put(&table, "tx_bytes", rows, |row| row.tx_bytes)?;
    put(&table, "rtt_us", rows, |row| row.rtt_us)?;
    put(&table, "queue_us", rows, |row| row.queue_us)?;
    Ok(table)
}

fn encodings<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyDict>> {
    let (table, rows) = (PyDict::new(py), stats.encodings.as_slice());
    put(&table, "publication", rows, |row| row.publication)?;
    put(&table, "encoding", rows, |row| row.encoding)?;
    put(&table, "packets", rows, |row| row.packets)?;
    put(&table, "bytes", rows, |row| row.bytes)?;
    put(&table, "lost", rows, |row| row.lost)?;
    put(&table, "recovered", rows, |row| row.recovered)?;
    put(&table, "bitrate_bps", rows, |row| row.bitrate_bps)?;
    let layers: Vec<u64> = rows.iter().flat_map(|row| row.temporal_bps).collect();
    let layers = layers.into_pyarray(py);
    table.set_item(
        "temporal_bps",
        layers.reshape([rows.len(), TEMPORAL_LAYERS])?,
    )?;
    put(&table, "keyframes", rows, |row| row.keyframes)?;
    put(&table, "last_keyframe_us", rows, |row| row.last_keyframe_us)?;
    put(&table, "plis", rows, |row| row.plis)?;
    put(&table, "nacks", rows, |row| row.nacks)?;
    put(&table, "width", rows, |row| row.width)?;
    put(&table, "height", rows, |row| row.height)?;
    put(&table, "jitter_us", rows, |row| row.jitter_us)?;
    put(&table, "first_media_us", rows, |row| row.first_media_us)?;
    Ok(table)
}

fn subscriptions<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyDict>> {
    let (table, rows) = (PyDict::new(py), stats.subscriptions.as_slice());
    put(&table, "subscription", rows, |row| row.subscription)?;
    put(&table, "publication", rows, |row| row.publication)?;
    put(&table, "spatial", rows, |row| row.spatial)?;
    put(&table, "temporal", rows, |row| row.temporal)?;
    put(&table, "packets", rows, |row| row.packets)?;
    put(&table, "bytes", rows, |row| row.bytes)?;
    put(&table, "dropped", rows, |row| row.dropped)?;
    put(&table, "nacks", rows, |row| row.nacks)?;
    put(&table, "rtx_packets", rows, |row| row.rtx_packets)?;
    put(&table, "plis", rows, |row| row.plis)?;
    put(&table, "loss_q8", rows, |row| row.loss_q8)?;
    put(&table, "jitter_us", rows, |row| row.jitter_us)?;
    Ok(table)
}

type In<'py, T> = PyReadonlyArray1<'py, T>;

pub(crate) fn same_length(lengths: &[usize]) -> PyResult<()> {
    if lengths.windows(2).all(|pair| pair.first() == pair.last()) {
        return Ok(());
    }
    Err(bad(format!("columns of different lengths: {lengths:?}")))
}

/// `apply`'s first three columns.
pub(crate) fn layers(
    handles: &In<'_, u32>,
    spatial: &In<'_, i8>,
    temporal: &In<'_, i8>,
) -> PyResult<Vec<LayerRow>> {
    let (handles, spatial, temporal) =
        (handles.as_array(), spatial.as_array(), temporal.as_array());
    same_length(&[handles.len(), spatial.len(), temporal.len()])?;
    let rows = handles.iter().zip(spatial.iter()).zip(temporal.iter());
    rows.map(|((handle, spatial), temporal)| {
        if *spatial < -1 || *spatial > 7 || *temporal < -1 || *temporal > 7 {
            return Err(bad(format!("subscription {handle}: layers are -1 to 7")));
        }
        Ok(LayerRow {
            subscription: SubscriptionId(*handle),
            spatial: *spatial,
            temporal: *temporal,
        })
    })
    .collect()
}

/// `apply`'s columns of transports.
pub(crate) struct Rates<'a, 'py> {
    pub(crate) handles: &'a In<'py, u32>,
    pub(crate) pacing_bps: &'a In<'py, u64>,
    pub(crate) probe_bps: &'a In<'py, u64>,
    pub(crate) probe_us: &'a In<'py, u32>,
    pub(crate) redundancy: &'a In<'py, u16>,
    pub(crate) repair_bps: &'a In<'py, u64>,
}

impl Rates<'_, '_> {
    /// As rows.
    pub(crate) fn rows(&self) -> PyResult<Vec<RateRow>> {
        let (handles, pacing) = (self.handles.as_array(), self.pacing_bps.as_array());
        let (probe, length) = (self.probe_bps.as_array(), self.probe_us.as_array());
        let (copies, repair) = (self.redundancy.as_array(), self.repair_bps.as_array());
        same_length(&[
            handles.len(),
            pacing.len(),
            probe.len(),
            length.len(),
            copies.len(),
            repair.len(),
        ])?;
        let first = handles.iter().zip(pacing.iter()).zip(probe.iter());
        let second = length.iter().zip(copies.iter()).zip(repair.iter());
        let both = first.zip(second);
        let rows = both.map(
            |(((handle, pacing), probe), ((length, copies), repair))| RateRow {
                transport: TransportId(*handle),
                pacing_bps: *pacing,
                probe_bps: *probe,
                probe_us: *length,
                redundancy: *copies,
                repair_bps: *repair,
            },
        );
        Ok(rows.collect())
    }
}
