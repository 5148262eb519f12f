//! What simulated classrooms heard and saw, as dicts of numpy columns.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use zhuandi_sim::metrics::{GapRow, LinkRow, Metrics, PictureRow, RungRow, SlideRow, SoundRow};

use crate::columns::put;

/// `Sim.metrics`.
pub(crate) fn metrics<'py>(py: Python<'py>, metrics: &Metrics) -> PyResult<Bound<'py, PyDict>> {
    let tables = PyDict::new(py);
    tables.set_item("links", links(py, &metrics.links)?)?;
    tables.set_item("sounds", sounds(py, &metrics.sounds)?)?;
    tables.set_item("pictures", pictures(py, &metrics.pictures)?)?;
    tables.set_item("rungs", rungs(py, &metrics.rungs)?)?;
    Ok(tables)
}

/// `Sim.take_gaps`.
pub(crate) fn gaps<'py>(py: Python<'py>, rows: &[GapRow]) -> PyResult<Bound<'py, PyDict>> {
    let table = PyDict::new(py);
    put(&table, "subscription", rows, |row| row.subscription)?;
    put(&table, "at_us", rows, |row| row.gap.at.0)?;
    put(&table, "length_us", rows, |row| row.gap.length_us)?;
    Ok(table)
}

/// `Sim.take_slides`.
pub(crate) fn slides<'py>(py: Python<'py>, rows: &[SlideRow]) -> PyResult<Bound<'py, PyDict>> {
    let table = PyDict::new(py);
    put(&table, "transport", rows, |row| row.transport)?;
    put(&table, "number", rows, |row| row.slide.number)?;
    put(&table, "at_us", rows, |row| row.slide.at.0)?;
    Ok(table)
}

fn links<'py>(py: Python<'py>, rows: &[LinkRow]) -> PyResult<Bound<'py, PyDict>> {
    let table = PyDict::new(py);
    put(&table, "transport", rows, |row| row.transport)?;
    put(&table, "sent_bytes", rows, |row| row.sent_bytes)?;
    put(&table, "delivered_bytes", rows, |row| row.delivered_bytes)?;
    put(&table, "queue_us", rows, |row| row.queue_us)?;
    put(&table, "own_delay_p50_ms", rows, |row| row.own_delay_p50_ms)?;
    put(&table, "own_delay_p95_ms", rows, |row| row.own_delay_p95_ms)?;
    Ok(table)
}

fn sounds<'py>(py: Python<'py>, rows: &[SoundRow]) -> PyResult<Bound<'py, PyDict>> {
    let table = PyDict::new(py);
    put(&table, "transport", rows, |row| row.transport)?;
    put(&table, "subscription", rows, |row| row.subscription)?;
    put(&table, "played_us", rows, |row| row.played_us)?;
    put(&table, "concealed_us", rows, |row| row.concealed_us)?;
    put(&table, "bytes", rows, |row| row.bytes)?;
    put(&table, "late", rows, |row| row.late)?;
    put(&table, "delay_us", rows, |row| row.delay_us)?;
    put(&table, "target_us", rows, |row| row.target_us)?;
    put(&table, "packets", rows, |row| row.packets)?;
    put(&table, "lost", rows, |row| row.lost)?;
    put(&table, "nacks", rows, |row| row.nacks)?;
    Ok(table)
}

fn pictures<'py>(py: Python<'py>, rows: &[PictureRow]) -> PyResult<Bound<'py, PyDict>> {
    let table = PyDict::new(py);
    put(&table, "transport", rows, |row| row.transport)?;
    put(&table, "subscription", rows, |row| row.subscription)?;
    put(&table, "frames", rows, |row| row.frames)?;
    put(&table, "bytes", rows, |row| row.bytes)?;
    put(&table, "freezes", rows, |row| row.freezes)?;
    put(&table, "frozen_us", rows, |row| row.frozen_us)?;
    put(&table, "longest_freeze_us", rows, |row| {
        row.longest_freeze_us
    })?;
    put(&table, "off_us", rows, |row| row.off_us)?;
    put(&table, "switches", rows, |row| row.switches)?;
    put(&table, "first_us", rows, |row| row.first_us)?;
    put(&table, "last_us", rows, |row| row.last_us)?;
    put(&table, "delay_us", rows, |row| row.delay_us)?;
    put(&table, "packets", rows, |row| row.packets)?;
    put(&table, "lost", rows, |row| row.lost)?;
    put(&table, "nacks", rows, |row| row.nacks)?;
    put(&table, "plis", rows, |row| row.plis)?;
    Ok(table)
}

fn rungs<'py>(py: Python<'py>, rows: &[RungRow]) -> PyResult<Bound<'py, PyDict>> {
    let table = PyDict::new(py);
    put(&table, "subscription", rows, |row| row.subscription)?;
    put(&table, "height", rows, |row| row.height)?;
    put(&table, "us", rows, |row| row.us)?;
    Ok(table)
}
