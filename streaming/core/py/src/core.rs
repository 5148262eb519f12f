//! Class `Core`: every method checks, posts and returns.

use std::os::fd::AsRawFd;
use std::path::PathBuf;

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use zhuandi_net::{Config, LocalTransport, drop_reasons};
use zhuandi_sfu::api::{IceCredentials, LessonId, PublicationId, SubscriptionId, TransportId};

use crate::errors::{bad, raise};
use crate::{columns, events, params, stills};

/// The packet core: worker threads, each with one UDP port and ICE-TCP on the same number.
#[pyclass(frozen, module = "streaming._core")]
pub(crate) struct Core {
    inner: zhuandi_net::Core,
}

impl Core {
    fn local<'py>(&self, py: Python<'py>, local: &LocalTransport) -> PyResult<Bound<'py, PyDict>> {
        let candidates = PyList::empty(py);
        for protocol in ["udp", "tcp"] {
            for address in &local.candidates {
                let candidate = PyDict::new(py);
                candidate.set_item("protocol", protocol)?;
                candidate.set_item("address", address.ip().to_string())?;
                candidate.set_item("port", address.port())?;
                candidates.append(candidate)?;
            }
        }
        let dict = PyDict::new(py);
        dict.set_item("transport", local.id.0)?;
        dict.set_item("ufrag", &local.ice.ufrag)?;
        dict.set_item("pwd", &local.ice.pwd)?;
        dict.set_item("fingerprint", self.inner.fingerprint())?;
        dict.set_item("candidates", candidates)?;
        Ok(dict)
    }
}

#[pymethods]
impl Core {
    #[new]
    #[pyo3(signature = (*, port=0, workers=1, addresses=vec![], certificate_pem=None))]
    fn new(
        py: Python<'_>,
        port: u16,
        workers: usize,
        addresses: Vec<String>,
        certificate_pem: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let parse = |text: &String| {
            text.parse()
                .map_err(|_| bad(format!("address {text:?} is not an IP address")))
        };
        let addresses = addresses.iter().map(parse).collect::<PyResult<Vec<_>>>()?;
        let config = Config {
            port,
            workers,
            addresses,
            certificate_pem,
        };
        let inner = py
            .detach(|| zhuandi_net::Core::start(&config))
            .map_err(raise)?;
        Ok(Self { inner })
    }

    #[getter]
    fn port(&self) -> u16 {
        self.inner.port()
    }

    #[getter]
    fn fingerprint(&self) -> String {
        self.inner.fingerprint()
    }

    #[getter]
    fn drop_reasons(&self) -> Vec<&'static str> {
        drop_reasons()
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.inner.close());
    }

    fn fileno(&self) -> i32 {
        self.inner.as_raw_fd()
    }

    fn new_credentials(&self) -> PyResult<(String, String)> {
        let IceCredentials { ufrag, pwd } = self.inner.new_credentials().map_err(raise)?;
        Ok((ufrag, pwd))
    }

    fn open_lesson(&self, log_dir: Option<PathBuf>) -> PyResult<u32> {
        Ok(self.inner.open_lesson(log_dir.as_deref()).map_err(raise)?.0)
    }

    fn close_lesson(&self, lesson: u32) -> PyResult<()> {
        self.inner.close_lesson(LessonId(lesson)).map_err(raise)
    }

    fn log_event(&self, lesson: u32, body: &Bound<'_, PyBytes>) -> PyResult<()> {
        self.inner
            .log_event(LessonId(lesson), body.as_bytes().to_vec())
            .map_err(raise)
    }

    fn open_transport<'py>(
        &self,
        py: Python<'py>,
        lesson: u32,
        params: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let open = params::transport(params)?;
        let local = self
            .inner
            .open_transport(LessonId(lesson), open)
            .map_err(raise)?;
        self.local(py, &local)
    }

    fn restart_ice<'py>(
        &self,
        py: Python<'py>,
        transport: u32,
        ufrag: String,
        pwd: String,
    ) -> PyResult<Bound<'py, PyDict>> {
        let remote = IceCredentials { ufrag, pwd };
        let local = self
            .inner
            .restart_ice(TransportId(transport), remote)
            .map_err(raise)?;
        self.local(py, &local)
    }

    #[pyo3(signature = (transport, rtp, *, granted=true))]
    fn add_publication(
        &self,
        transport: u32,
        rtp: &Bound<'_, PyDict>,
        granted: bool,
    ) -> PyResult<u32> {
        let rtp = params::rtp(rtp)?;
        Ok(self
            .inner
            .add_publication(TransportId(transport), rtp, granted)
            .map_err(raise)?
            .0)
    }

    fn grant(&self, publication: u32, on: bool) -> PyResult<()> {
        self.inner
            .grant(PublicationId(publication), on)
            .map_err(raise)
    }

    fn show_stills(&self, transport: u32, of: Vec<(u32, u32)>) -> PyResult<()> {
        let of = of.into_iter().map(|(id, tile)| (TransportId(id), tile));
        self.inner
            .show_stills(TransportId(transport), of.collect())
            .map_err(raise)
    }

    fn add_player(
        &self,
        py: Python<'_>,
        lesson: u32,
        paths: Vec<PathBuf>,
        rtp: &Bound<'_, PyDict>,
        loop_us: i64,
    ) -> PyResult<u32> {
        let rtp = params::rtp(rtp)?;
        let added = py.detach(|| {
            self.inner
                .add_player(LessonId(lesson), &paths, rtp, loop_us)
        });
        Ok(added.map_err(raise)?.0)
    }

    fn add_subscription(&self, transport: u32, rtp: &Bound<'_, PyDict>) -> PyResult<u32> {
        let rtp = params::rtp(rtp)?;
        Ok(self
            .inner
            .add_subscription(TransportId(transport), rtp)
            .map_err(raise)?
            .0)
    }

    fn add_tap(&self, publication: u32, track: u16, header: &Bound<'_, PyBytes>) -> PyResult<u32> {
        let header = header.as_bytes().to_vec();
        Ok(self
            .inner
            .add_tap(PublicationId(publication), track, header)
            .map_err(raise)?
            .0)
    }

    #[pyo3(signature = (subscription, publication, *, all_encodings=false))]
    fn connect(
        &self,
        subscription: u32,
        publication: Option<u32>,
        all_encodings: bool,
    ) -> PyResult<()> {
        let to = publication.map(PublicationId);
        self.inner
            .connect(SubscriptionId(subscription), to, all_encodings)
            .map_err(raise)
    }

    fn put_still(
        &self,
        lesson: u32,
        source: &str,
        format: &str,
        width: u16,
        height: u16,
        file: &Bound<'_, PyBytes>,
    ) -> PyResult<String> {
        let still = stills::still(source, format, width, height, file.as_bytes())?;
        let hash = stills::hex(&still.hash());
        self.inner
            .put_still(LessonId(lesson), still)
            .map_err(raise)?;
        Ok(hash)
    }

    fn give_still(
        &self,
        transport: u32,
        format: &str,
        width: u16,
        height: u16,
        file: &Bound<'_, PyBytes>,
    ) -> PyResult<String> {
        let still = stills::still("camera", format, width, height, file.as_bytes())?;
        let hash = stills::hex(&still.hash());
        self.inner
            .give_still(TransportId(transport), still)
            .map_err(raise)?;
        Ok(hash)
    }

    fn request_keyframe(&self, publication: u32) -> PyResult<()> {
        self.inner
            .request_keyframe(PublicationId(publication))
            .map_err(raise)
    }

    fn remove(&self, handle: u32) -> PyResult<()> {
        self.inner.remove(handle).map_err(raise)
    }

    fn take_events<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.inner
            .take_events()
            .map(|event| events::to_dict(py, &event))
            .collect()
    }

    fn take_feedback<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::feedback(py, &self.inner.take_feedback())
    }

    fn take_stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::stats(py, &self.inner.take_stats())
    }

    #[expect(clippy::too_many_arguments, reason = "columns of one decision")]
    fn apply(
        &self,
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
        let rates = rates.rows()?;
        self.inner.apply(layers, rates).map_err(raise)
    }
}
