//! Class `Sim`: a lesson in virtual time behind the control methods of `Core`.

use std::sync::Arc;
use std::time::Instant;

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use zhuandi_sfu::transport::{Certificate, Epoch};
use zhuandi_sim::teacher::film::{Film, FilmEncoding, FilmFrame};

use crate::errors::bad;
use crate::params::{KINDS, choose};
use crate::{columns, link_dicts, sim_columns};

/// The engine, links and modelled browsers under one virtual clock.
#[pyclass(module = "streaming._core")]
pub(crate) struct Sim {
    inner: zhuandi_sim::sim::Sim,
}

#[pymethods]
impl Sim {
    #[new]
    #[pyo3(signature = (*, seed=0))]
    fn new(seed: u64) -> PyResult<Self> {
        let certificate = Certificate::generate().map_err(bad)?;
        // The anchor of a library that never runs here: nothing depends on it.
        #[allow(clippy::disallowed_methods)]
        let epoch = Epoch {
            base: Instant::now(),
        };
        let inner = zhuandi_sim::sim::Sim::new(Arc::new(certificate), epoch, seed);
        Ok(Self { inner })
    }

    #[getter]
    fn now_us(&self) -> i64 {
        self.inner.now_us()
    }

    fn open_lesson(&mut self) -> u32 {
        self.inner.open_lesson()
    }

    fn add_teacher(&mut self, lesson: u32, up: &Bound<'_, PyDict>) -> PyResult<u32> {
        let up = link_dicts::profile(up)?;
        self.inner.add_teacher(lesson, up).map_err(bad)
    }

    fn add_bottleneck(&mut self, down: &Bound<'_, PyDict>) -> PyResult<usize> {
        let down = link_dicts::profile(down)?;
        self.inner.add_bottleneck(down).map_err(bad)
    }

    fn add_receiver(
        &mut self,
        lesson: u32,
        bottleneck: usize,
        up: &Bound<'_, PyDict>,
    ) -> PyResult<u32> {
        let up = link_dicts::profile(up)?;
        self.inner.add_receiver(lesson, up, bottleneck).map_err(bad)
    }

    fn add_download(&mut self, bottleneck: usize, return_us: i64) -> PyResult<usize> {
        self.inner.add_download(bottleneck, return_us).map_err(bad)
    }

    fn downloaded_bytes(&self, download: usize) -> u64 {
        self.inner.downloaded_bytes(download)
    }

    #[allow(clippy::too_many_arguments)]
    fn publish(
        &mut self,
        teacher: u32,
        kind: &str,
        mid: String,
        at_us: PyReadonlyArray1<'_, i64>,
        encoding: PyReadonlyArray1<'_, u8>,
        temporal: PyReadonlyArray1<'_, u8>,
        sync: PyReadonlyArray1<'_, u8>,
        bytes: PyReadonlyArray1<'_, u32>,
        loop_us: i64,
        encodings: Vec<(u32, u32, Vec<u32>)>,
    ) -> PyResult<u32> {
        let (at_us, encoding, temporal) =
            (at_us.as_array(), encoding.as_array(), temporal.as_array());
        let (sync, bytes) = (sync.as_array(), bytes.as_array());
        let lengths = [encoding.len(), temporal.len(), sync.len(), bytes.len()];
        columns::same_length(&lengths)?;
        columns::same_length(&[at_us.len(), encoding.len()])?;
        let times = at_us.iter().zip(encoding).zip(temporal);
        let frames = times.zip(sync.iter().zip(bytes));
        let film = Film {
            kind: choose("kind", kind, KINDS)?,
            mid,
            frames: frames
                .map(|(((at_us, encoding), temporal), (sync, bytes))| FilmFrame {
                    at_us: *at_us,
                    encoding: *encoding,
                    temporal: *temporal,
                    sync: *sync != 0,
                    bytes: *bytes,
                })
                .collect(),
            loop_us,
            encodings: encodings
                .into_iter()
                .map(|(size, width, keys)| FilmEncoding { size, width, keys })
                .collect(),
        };
        self.inner.publish(teacher, film).map_err(bad)
    }

    fn add_subscription(&mut self, receiver: u32, kind: &str) -> PyResult<u32> {
        let kind = choose("kind", kind, KINDS)?;
        self.inner.add_subscription(receiver, kind).map_err(bad)
    }

    fn connect(&mut self, subscription: u32, publication: Option<u32>) {
        self.inner.connect(subscription, publication);
    }

    fn request_keyframe(&mut self, publication: u32) {
        self.inner.request_keyframe(publication);
    }

    fn set_active(&mut self, publication: u32, count: usize) -> PyResult<()> {
        self.inner.set_active(publication, count).map_err(bad)
    }

    fn set_target(&mut self, receiver: u32, target_us: i64) -> PyResult<()> {
        self.inner.set_target(receiver, target_us).map_err(bad)
    }

    fn set_twcc(&mut self, receiver: u32, tells: bool) -> PyResult<()> {
        self.inner.set_twcc(receiver, tells).map_err(bad)
    }

    fn step(&mut self, py: Python<'_>, span_us: i64) {
        py.detach(|| self.inner.step(span_us));
    }

    fn take_feedback<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::feedback(py, &self.inner.take_feedback())
    }

    fn take_stats<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::stats(py, &self.inner.take_stats())
    }

    #[allow(clippy::too_many_arguments)]
    fn apply(
        &mut self,
        subscriptions: PyReadonlyArray1<'_, u32>,
        spatial: PyReadonlyArray1<'_, i8>,
        temporal: PyReadonlyArray1<'_, i8>,
        transports: PyReadonlyArray1<'_, u32>,
        pacing_bps: PyReadonlyArray1<'_, u64>,
        probe_bps: PyReadonlyArray1<'_, u64>,
        probe_us: PyReadonlyArray1<'_, u32>,
        redundancy: PyReadonlyArray1<'_, u16>,
        repair_bps: PyReadonlyArray1<'_, u64>,
    ) -> PyResult<()> {
        let layers = columns::layers(&subscriptions, &spatial, &temporal)?;
        let rates = columns::Rates {
            handles: &transports,
            pacing_bps: &pacing_bps,
            probe_bps: &probe_bps,
            probe_us: &probe_us,
            redundancy: &redundancy,
            repair_bps: &repair_bps,
        };
        self.inner.apply(layers, rates.rows()?);
        Ok(())
    }

    fn metrics<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        sim_columns::metrics(py, &self.inner.metrics())
    }

    fn take_gaps<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        sim_columns::gaps(py, &self.inner.take_gaps())
    }

    fn put_still(&mut self, lesson: u32, bytes: usize) -> PyResult<u32> {
        self.inner.put_still(lesson, bytes).map_err(bad)
    }

    fn take_slides<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        sim_columns::slides(py, &self.inner.take_slides())
    }

    fn clear_delays(&mut self) {
        self.inner.clear_delays();
    }
}
