//! Events as dicts of the contract.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use zhuandi_net::{CoreEvent, LogEvent};
use zhuandi_sfu::api::{Event, Proto, Still};

use crate::stills::{hex, source_name};

/// One event of `take_events`.
pub(crate) fn to_dict<'py>(py: Python<'py>, event: &CoreEvent) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    match event {
        CoreEvent::Engine(event) => engine_event(&dict, event)?,
        CoreEvent::Log(LogEvent {
            lesson,
            bytes,
            error,
            sealed,
        }) => {
            dict.set_item("event", "log")?;
            dict.set_item("lesson", lesson.0)?;
            dict.set_item("bytes", bytes)?;
            dict.set_item("error", error)?;
            dict.set_item("sealed", sealed)?;
        }
        CoreEvent::Overflow(count) => {
            dict.set_item("event", "overflow")?;
            dict.set_item("count", count)?;
        }
    }
    Ok(dict)
}

fn engine_event(dict: &Bound<'_, PyDict>, event: &Event) -> PyResult<()> {
    match event {
        Event::Connected { transport, path } => {
            dict.set_item("event", "connected")?;
            dict.set_item("transport", transport.0)?;
            dict.set_item(
                "protocol",
                if path.proto == Proto::Udp {
                    "udp"
                } else {
                    "tcp"
                },
            )?;
            dict.set_item("address", path.remote.to_string())?;
        }
        Event::Disconnected { transport } => {
            dict.set_item("event", "disconnected")?;
            dict.set_item("transport", transport.0)?;
        }
        Event::Failed { transport, reason } => {
            dict.set_item("event", "failed")?;
            dict.set_item("transport", transport.0)?;
            dict.set_item("reason", reason)?;
        }
        Event::Closed { transport, reason } => {
            dict.set_item("event", "closed")?;
            dict.set_item("transport", transport.0)?;
            dict.set_item("reason", reason)?;
        }
        Event::FirstMedia { publication } => {
            dict.set_item("event", "first_media")?;
            dict.set_item("publication", publication.0)?;
        }
        Event::Still { lesson, still } => {
            dict.set_item("event", "still")?;
            dict.set_item("lesson", lesson.0)?;
            dict.set_item("source", source_name(still.source()))?;
            picture(dict, still)?;
        }
        Event::OwnStill {
            transport,
            tile,
            still,
        } => {
            dict.set_item("event", "own_still")?;
            dict.set_item("transport", transport.0)?;
            dict.set_item("tile", tile)?;
            picture(dict, still)?;
        }
    }
    Ok(())
}

fn picture(dict: &Bound<'_, PyDict>, still: &Still) -> PyResult<()> {
    let about = still.begin(0, 0);
    dict.set_item("hash", hex(&about.hash))?;
    dict.set_item("bytes", about.bytes)?;
    dict.set_item("width", about.width)?;
    dict.set_item("height", about.height)
}
