//! Refusals as Python exceptions: `ValueError` for the caller's mistakes, `OSError` for the system's.

use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use zhuandi_net::CoreError;

/// The exception of a refused command.
pub(crate) fn raise(error: CoreError) -> PyErr {
    match error {
        CoreError::Bad(_) | CoreError::NoSuch(..) => PyValueError::new_err(error.to_string()),
        CoreError::Io(error) => os_error(&error),
        CoreError::Busy => PyRuntimeError::new_err(error.to_string()),
    }
}

/// With the errno where there is one, so that callers can tell a full disk from a missing right.
fn os_error(error: &std::io::Error) -> PyErr {
    use std::io::ErrorKind;
    let errno = error.raw_os_error().or(match error.kind() {
        ErrorKind::AddrInUse => Some(98),
        ErrorKind::PermissionDenied => Some(13),
        ErrorKind::NotFound => Some(2),
        ErrorKind::ResourceBusy => Some(16),
        _ => None,
    });
    match errno {
        Some(errno) => PyOSError::new_err((errno, error.to_string())),
        None if error.kind() == ErrorKind::InvalidData => PyValueError::new_err(error.to_string()),
        None => PyOSError::new_err(error.to_string()),
    }
}

/// A bad argument, in words.
pub(crate) fn bad(words: impl Into<String>) -> PyErr {
    PyValueError::new_err(words.into())
}
