//! Class `Link`: the emulator over the caller's clock.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use zhuandi_netem::{DropReason, Verdict};
use zhuandi_wire::time::Micros;

use crate::link_dicts;

/// A copy of a packet is the same Python object.
type Packet = Arc<Py<PyAny>>;

/// One direction of an emulated link.
#[pyclass(module = "streaming._core")]
pub(crate) struct Link {
    inner: zhuandi_netem::Link<Packet>,
}

#[pymethods]
impl Link {
    #[new]
    #[pyo3(signature = (profile, *, seed=0, now_us=0))]
    fn new(profile: &Bound<'_, PyDict>, seed: u64, now_us: i64) -> PyResult<Self> {
        let inner = zhuandi_netem::Link::new(link_dicts::profile(profile)?, seed, Micros(now_us));
        Ok(Self { inner })
    }

    fn push<'py>(
        &mut self,
        py: Python<'py>,
        now_us: i64,
        bytes: usize,
        packet: Py<PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let word = match self.inner.push(Micros(now_us), bytes, Arc::new(packet)) {
            Verdict::Arrives(at) => return Ok(at.0.into_pyobject(py)?.into_any()),
            Verdict::Dropped(DropReason::Loss) => "loss",
            Verdict::Dropped(DropReason::Queue) => "queue",
            Verdict::Dropped(DropReason::Outage) => "outage",
        };
        Ok(word.into_pyobject(py)?.into_any())
    }

    fn poll(&mut self, py: Python<'_>, now_us: i64) -> Option<(i64, usize, Py<PyAny>)> {
        let delivery = self.inner.poll(Micros(now_us))?;
        let packet = delivery.payload.clone_ref(py);
        Some((delivery.at.0, delivery.bytes, packet))
    }

    fn next_us(&self) -> Option<i64> {
        let next = self.inner.next();
        (next != Micros::NEVER).then_some(next.0)
    }

    fn queue_us(&mut self, now_us: i64) -> i64 {
        self.inner.queue_us(Micros(now_us))
    }

    fn queue_bytes(&mut self, now_us: i64) -> usize {
        self.inner.queue_bytes(Micros(now_us))
    }

    fn capacity_bits(&self, from_us: i64, to_us: i64) -> u64 {
        self.inner.capacity_bits(Micros(from_us), Micros(to_us))
    }

    fn set_profile(&mut self, now_us: i64, profile: &Bound<'_, PyDict>) -> PyResult<()> {
        let profile = link_dicts::profile(profile)?;
        self.inner.set_profile(Micros(now_us), profile);
        Ok(())
    }

    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (dict, counters) = (PyDict::new(py), self.inner.counters());
        dict.set_item("pushed", counters.pushed)?;
        dict.set_item("pushed_bytes", counters.pushed_bytes)?;
        dict.set_item("delivered", counters.delivered)?;
        dict.set_item("delivered_bytes", counters.delivered_bytes)?;
        dict.set_item("lost", counters.lost)?;
        dict.set_item("overflowed", counters.overflowed)?;
        dict.set_item("cut", counters.cut)?;
        dict.set_item("duplicated", counters.duplicated)?;
        dict.set_item("reordered", counters.reordered)?;
        Ok(dict)
    }
}
