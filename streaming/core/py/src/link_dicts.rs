//! Link profiles between dicts of the contract and the emulator's values.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use zhuandi_netem::{
    Capacity, LinkProfile, NAMES, Outage, OutageKind, QueueLimit, Trace, TraceError, named,
};

use crate::errors::bad;
use crate::params::{choose, get, word_of};

/// One direction; every mistake is a `ValueError`.
pub(crate) fn profile(dict: &Bound<'_, PyDict>) -> PyResult<LinkProfile> {
    let perfect = LinkProfile::default();
    let queue = match (get(dict, "queue_bytes")?, get(dict, "queue_ms")?) {
        (Some(bytes), _) => QueueLimit::Bytes(bytes),
        (None, Some(ms)) => QueueLimit::Millis(ms),
        (None, None) => perfect.queue,
    };
    let ratio = |key: &str| Ok::<f64, PyErr>(get(dict, key)?.unwrap_or(0.0));
    let span_us = |key: &str| Ok::<i64, PyErr>(get(dict, key)?.unwrap_or(0));
    let profile = LinkProfile {
        capacity: capacity(dict)?,
        delay_us: span_us("delay_us")?,
        jitter_us: span_us("jitter_us")?,
        ordered: get(dict, "ordered")?.unwrap_or(perfect.ordered),
        loss: ratio("loss")?,
        burst: get(dict, "burst")?.unwrap_or(perfect.burst),
        reorder: ratio("reorder")?,
        reorder_us: span_us("reorder_us")?,
        duplicate: ratio("duplicate")?,
        queue,
        outages: outages(dict)?,
    };
    profile.check().map_err(|words| bad(words.0))?;
    Ok(profile)
}

fn capacity(dict: &Bound<'_, PyDict>) -> PyResult<Capacity> {
    if let Some(rows) = get::<Vec<(i64, u64)>>(dict, "trace")? {
        let trace = Trace::from_steps(&rows)
            .ok_or_else(|| bad("trace: times must grow from 0 and something must pass"))?;
        return Ok(Capacity::Trace(Arc::new(trace)));
    }
    Ok(get(dict, "capacity_bps")?.map_or(Capacity::Unlimited, Capacity::Constant))
}

const KINDS: &[(&str, OutageKind)] = &[("hold", OutageKind::Hold), ("drop", OutageKind::Drop)];

fn outages(dict: &Bound<'_, PyDict>) -> PyResult<Vec<Outage>> {
    let rows: Vec<(i64, i64, String)> = get(dict, "outages")?.unwrap_or_default();
    let outage = |(from_us, until_us, word): &(i64, i64, String)| {
        Ok(Outage {
            from_us: *from_us,
            until_us: *until_us,
            kind: choose("outages", word, KINDS)?,
        })
    };
    rows.iter().map(outage).collect()
}

fn to_dict<'py>(py: Python<'py>, link: &LinkProfile) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    match &link.capacity {
        Capacity::Unlimited => dict.set_item("capacity_bps", py.None())?,
        Capacity::Constant(bps) => dict.set_item("capacity_bps", bps)?,
        Capacity::Trace(trace) => dict.set_item("trace", trace.rows())?,
    }
    dict.set_item("delay_us", link.delay_us)?;
    dict.set_item("jitter_us", link.jitter_us)?;
    dict.set_item("ordered", link.ordered)?;
    dict.set_item("loss", link.loss)?;
    dict.set_item("burst", link.burst)?;
    dict.set_item("reorder", link.reorder)?;
    dict.set_item("reorder_us", link.reorder_us)?;
    dict.set_item("duplicate", link.duplicate)?;
    match link.queue {
        QueueLimit::Bytes(bytes) => dict.set_item("queue_bytes", bytes)?,
        QueueLimit::Millis(ms) => dict.set_item("queue_ms", ms)?,
    }
    let outages: Vec<(i64, i64, &str)> = (link.outages.iter())
        .map(|outage| (outage.from_us, outage.until_us, word_of(outage.kind, KINDS)))
        .collect();
    dict.set_item("outages", outages)?;
    Ok(dict)
}

/// The named links.
#[pyfunction]
pub(crate) fn link_profiles(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let profiles = PyDict::new(py);
    for profile in NAMES.into_iter().filter_map(named) {
        let both = PyDict::new(py);
        both.set_item("down", to_dict(py, &profile.down)?)?;
        both.set_item("up", to_dict(py, &profile.up)?)?;
        profiles.set_item(profile.name, both)?;
    }
    Ok(profiles)
}

/// A CSV as rows of a `trace`.
#[pyfunction]
pub(crate) fn read_trace(file: &str, text: &str) -> PyResult<Vec<(i64, u64)>> {
    let trace = Trace::parse(file, text).map_err(|error: TraceError| bad(error.to_string()))?;
    Ok(trace.rows())
}
